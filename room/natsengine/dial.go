package natsengine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// A connection that is silent for two pings of this interval is dead. The engine then has time
	// to connect to another server within the tenure of its hub, 9.6 s.
	pingInterval  = 2 * time.Second
	reconnectWait = 100 * time.Millisecond
)

// dial connects to the first server that answers, until ctx ends. After a loss, the client connects
// again, until life ends.
func dial(ctx, life context.Context, o *Options) (*client, error) {
	c := &client{log: o.Logger, closed: make(chan struct{}), link: newLink(), linked: 1, wake: make(map[chan struct{}]struct{})}
	opts := nats.GetDefaultOptions()
	opts.Servers = o.Servers
	for _, set := range append(o.credentials(), o.NATS...) {
		if err := set(&opts); err != nil {
			return nil, fmt.Errorf("natsengine: option of the connection: %w", err)
		}
	}
	if o.TLS != nil {
		opts.Secure, opts.TLSConfig = true, o.TLS
	}
	if opts.Name == "" {
		opts.Name = "planrooms"
	}
	opts.AllowReconnect, opts.MaxReconnect, opts.ReconnectWait = true, -1, reconnectWait
	opts.RetryOnFailedConnect = false
	opts.ReconnectBufSize = -1       // what cannot be sent now must not be sent later
	opts.IgnoreAuthErrorAbort = true // else two refusals end the connection for ever
	opts.PingInterval, opts.MaxPingsOut = pingInterval, 2
	opts.FlusherTimeout = 0                  // a wire has its own
	opts.NoCallbacksAfterClientClose = false // close waits for the last one
	c.handle(&opts)
	d := &dialer{inner: opts.CustomDialer, ctx: ctx, first: true, wires: make(map[*wire]struct{})}
	opts.CustomDialer, c.abort = d, d.abort
	nc, err := opts.Connect()
	d.done(life)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(whyEnded(ctx), err)
		}
		return nil, fmt.Errorf("natsengine: connect to %s: %w", strings.Join(o.addresses(), ", "), err)
	}
	c.nc, c.api = nc, jetstream.DefaultAPIPrefix
	legacy := []nats.JSOpt{nats.MaxWait(tryTimeout)}
	c.js, err = jetstream.New(nc)
	if o.Domain != "" {
		c.api = "$JS." + o.Domain + ".API."
		legacy = append(legacy, nats.Domain(o.Domain))
		c.js, err = jetstream.NewWithDomain(nc, o.Domain)
	}
	if err == nil {
		c.legacy, err = nc.JetStream(legacy...)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("natsengine: JetStream: %w", err)
	}
	return c, nil
}

// addresses are the hosts and ports of Servers, without what is secret in the URLs.
func (o *Options) addresses() (list []string) {
	for _, s := range o.Servers {
		if u, err := url.Parse(s); err == nil {
			list = append(list, u.Host)
		}
	}
	return list
}

func (o *Options) credentials() []nats.Option {
	switch {
	case o.CredentialsFile != "":
		return []nats.Option{nats.UserCredentials(o.CredentialsFile)}
	case o.NKeyFile != "":
		return []nats.Option{func(opts *nats.Options) error {
			nkey, err := nats.NkeyOptionFromSeed(o.NKeyFile)
			if err != nil {
				return err
			}
			return nkey(opts)
		}}
	case o.User != "" || o.Password != "":
		return []nats.Option{nats.UserInfo(o.User, o.Password)}
	case o.Token != "":
		return []nats.Option{nats.Token(o.Token)}
	}
	return nil
}

// dialer ends the dialing and the handshake of the first connection with the context of Open.
type dialer struct {
	inner nats.CustomDialer

	mu    sync.Mutex // guards what follows
	ctx   context.Context
	first bool // before done
	stops []func() bool
	wires map[*wire]struct{} // those that are open
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	if ctx.Err() != nil {
		return nil, whyEnded(ctx)
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: conn}
	w.closed = func() { d.forget(w) }
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wires[w] = struct{}{}
	if d.first {
		d.stops = append(d.stops, context.AfterFunc(ctx, func() { w.Close() }))
	}
	return w, nil
}

// SkipTLSHandshake reports whether the connections of a dialer of the host are encrypted already:
// see [nats.CustomDialer].
func (d *dialer) SkipTLSHandshake() bool {
	inner, ok := d.inner.(interface{ SkipTLSHandshake() bool })
	return ok && inner.SkipTLSHandshake()
}

// forget is called when a connection is closed.
func (d *dialer) forget(w *wire) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.wires, w)
}

// abort closes the connections that are open.
func (d *dialer) abort() {
	d.mu.Lock()
	wires := slices.Collect(maps.Keys(d.wires))
	d.mu.Unlock()
	for _, w := range wires {
		w.Close()
	}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if d.inner != nil {
		return d.inner.Dial(network, address)
	}
	return (&net.Dialer{Timeout: nats.DefaultTimeout}).DialContext(ctx, network, address)
}

// done is called when the first connection is made. Later ones are made until life ends.
func (d *dialer) done(life context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ctx, d.first = life, false
	for _, stop := range d.stops {
		stop()
	}
}
