package client

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/planrooms/planrooms/protocol"
)

// Dial connects to the endpoint of a server, such as "wss://plans.example/ws" (the scheme is ws,
// wss, http or https), and returns when the server has sent its hello. If the server cannot be
// reached, or asks the client to retry, Dial tries again until ctx ends. It returns immediately if
// retrying cannot help, as after the answer 404. [Open] does not wait for the server.
//
// After Dial has returned, the end of ctx has no effect. Options.Token and Options.HTTPClient see
// the values of ctx.
//
// Nil options mean the defaults, which have no token. Dial panics if a number in opts is negative.
func Dial(ctx context.Context, endpoint string, opts *Options) (*Client, error) {
	o, dial, err := prepare(endpoint, opts)
	if err != nil {
		return nil, err
	}
	return newClient(ctx, o, dial, false).await(ctx)
}

// Open returns a client that connects in the background, so a service can start while the server is
// down. The client tries until it succeeds; [Client.State], [Client.LastError] and Options.OnState
// show how. Join waits for the connection.
//
// Unlike [Dial], Open also retries after an answer such as 404 or 403, which a proxy may give while
// the server is down. The client ends ([Client.Done], [Client.Err]) only for the reasons for which
// a connected one does, such as two refused tokens in a row.
//
// The errors of Open are those of the endpoint and the options. It panics if a number in opts is
// negative.
func Open(endpoint string, opts *Options) (*Client, error) {
	o, dial, err := prepare(endpoint, opts)
	if err != nil {
		return nil, err
	}
	return newClient(context.Background(), o, dial, true), nil
}

// prepare checks the arguments of Dial and Open.
func prepare(endpoint string, opts *Options) (Options, dialFunc, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return o, nil, err
	}
	target, err := targetOf(endpoint, o.ClientID)
	if err != nil {
		return o, nil, err
	}
	return o, func(ctx context.Context, token string) (link, error) {
		header := o.Header.Clone()
		if token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		return dialSocket(ctx, target, header, o.HTTPClient, o.MaxMessageBytes)
	}, nil
}

// targetOf adds the client ID to an endpoint.
func targetOf(endpoint, clientID string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "", errors.New("client: the endpoint is not a URL") // the error of Parse quotes it
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return "", errors.New("client: the scheme of the endpoint is not ws, wss, http or https")
	}
	q := u.Query()
	q.Set("client", clientID)
	u.RawQuery, u.Fragment = q.Encode(), ""
	return u.String(), nil
}

// newClient creates a client and starts it.
func newClient(ctx context.Context, o Options, dial dialFunc, lazy bool) *Client {
	values := context.WithoutCancel(ctx)
	c := &Client{
		opts: o, dial: dial, lazy: lazy, values: values,
		ready: make(chan struct{}), kick: make(chan struct{}, 1),
		tokens:  newTokenCalls(o.Token),
		notices: newQueue(maxNotices, o.QueueBytes, noticeBytes, appendItem[protocol.Message], newerHalf),
		plans:   make(map[string]*Plan),
		retry:   backoff{min: o.BackoffMin, max: o.BackoffMax},
	}
	c.calls, c.endCalls = context.WithCancel(values)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.startLocked()
	return c
}

// await waits for the first connection. If there will be none, it ends the client.
func (c *Client) await(ctx context.Context) (*Client, error) {
	select {
	case <-c.ready:
		return c, nil
	case <-c.Done():
		c.endCalls()
		return nil, fmt.Errorf("dial: %w", c.Err())
	case <-ctx.Done():
		last := c.LastError()
		_ = c.Close() // never fails
		if last != nil {
			return nil, fmt.Errorf("dial: %w; last: %w", ctx.Err(), last)
		}
		return nil, fmt.Errorf("dial: %w", ctx.Err())
	}
}
