package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"
)

// Dial connects to the endpoint of a server, such as "wss://plans.example/ws" (or http, https, ws), and returns when the server has said hello. If the
// server can't be reached, or asks to come later, Dial goes on trying until ctx ends; it returns at once what no
// repetition can cure. Afterwards the end of ctx means nothing to the client; its values are those that TokenFunc and HTTPClient see.
//
// Nil options mean the defaults, which carry no token. A negative number in them panics.
func Dial(ctx context.Context, endpoint string, opts *Options) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	target, err := targetOf(endpoint, o.ClientID)
	if err != nil {
		return nil, err
	}
	return start(ctx, o, func(ctx context.Context, token string) (link, error) {
		header := o.Header.Clone()
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		return dialSocket(ctx, target, header, o.HTTPClient, o.MaxMessageBytes)
	})
}

// targetOf adds the client id to an endpoint.
func targetOf(endpoint, clientID string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "", errors.New("client: the endpoint is not a URL") // the parser's error would quote it
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return "", errors.New("client: the endpoint is neither ws, wss, http nor https")
	}
	q := u.Query()
	q.Set("client", clientID)
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String(), nil
}

// start makes a client and waits for its first connection.
func start(ctx context.Context, o Options, dial dialFunc) (*Client, error) {
	c := &Client{
		opts: o, dial: dial,
		done: make(chan struct{}), ready: make(chan struct{}),
		notices: newQueue(maxNotices, o.QueueBytes, noticeBytes),
		state:   StateConnecting,
		plans:   make(map[string]*Plan),
		retry:   backoff{min: o.BackoffMin, max: o.BackoffMax},
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go c.run() // Close waits for it
	select {
	case <-c.ready:
		return c, nil
	case <-c.done:
		return nil, fmt.Errorf("dial: %w", c.Err())
	case <-ctx.Done():
		c.mu.Lock()
		last := c.cause
		c.mu.Unlock()
		_ = c.Close() // never fails
		if last != nil {
			return nil, fmt.Errorf("dial: %w; last: %w", ctx.Err(), last)
		}
		return nil, fmt.Errorf("dial: %w", ctx.Err())
	}
}
