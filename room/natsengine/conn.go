package natsengine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// conn is one connection of nats.go. It connects again after a loss, except if a server closed it
// for a reason that nats.go believes to be final: a client then makes another conn.
type conn struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	legacy nats.JetStreamContext // its GetMsg asks the stream's leader, unlike that of jetstream
	closed chan struct{}         // closed when nats.go has ended the connection
	abort  func()                // closes the network connection, without what is buffered

	// Guarded by client.mu.
	ended    bool // the client has taken note of closed
	renewing bool // see client.renew
}

// connect connects to the first server that answers, until ctx ends: those of the options, and
// others that an earlier connection knew.
func (c *client) connect(ctx context.Context, others []string) (*conn, error) {
	opts := nats.GetDefaultOptions()
	opts.Servers = append(c.o.Servers[:len(c.o.Servers):len(c.o.Servers)], others...)
	for _, set := range append(c.o.credentials(), c.o.NATS...) {
		if err := set(&opts); err != nil {
			return nil, fmt.Errorf("natsengine: option of the connection: %w", err)
		}
	}
	if c.o.TLS != nil {
		opts.Secure, opts.TLSConfig = true, c.o.TLS
	}
	if opts.Name == "" {
		opts.Name = "planrooms"
	}
	opts.AllowReconnect, opts.MaxReconnect, opts.ReconnectWait = true, -1, reconnectWait
	opts.RetryOnFailedConnect = false
	opts.ReconnectBufSize = -1 // what cannot be sent now must not be sent later
	opts.PingInterval, opts.MaxPingsOut = pingInterval, 2
	opts.FlusherTimeout = 0                  // a wire has its own
	opts.NoCallbacksAfterClientClose = false // close waits for the last one
	opts.SkipHostLookup = true               // the dialer does it, within its context
	k := &conn{closed: make(chan struct{})}
	c.handle(k, &opts)
	d := &dialer{inner: opts.CustomDialer, net: opts.Dialer, ctx: ctx, first: true, wires: make(map[*wire]struct{})}
	if d.net == nil {
		d.net = &net.Dialer{Timeout: opts.Timeout}
	}
	opts.CustomDialer, k.abort = d, d.abort
	var err error
	k.nc, err = opts.Connect()
	d.done(c.ctx)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(whyEnded(ctx), err)
		}
		return nil, fmt.Errorf("natsengine: connect to %s: %w", strings.Join(c.o.addresses(), ", "), err)
	}
	legacy := []nats.JSOpt{nats.MaxWait(tryTimeout)}
	if c.o.Domain == "" {
		k.js, err = jetstream.New(k.nc)
	} else {
		legacy = append(legacy, nats.Domain(c.o.Domain))
		k.js, err = jetstream.NewWithDomain(k.nc, c.o.Domain)
	}
	if err == nil {
		k.legacy, err = k.nc.JetStream(legacy...)
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("natsengine: JetStream: %w", err)
	}
	return k, nil
}

// close ends the connection, and returns when nats.go has called its last handler.
func (k *conn) close() {
	k.nc.Close()
	<-k.closed
}

// isClosed reports whether nats.go has ended the connection.
func (k *conn) isClosed() bool {
	select {
	case <-k.closed:
		return true
	default:
		return false
	}
}

// discovered are the URLs of servers that the connection knows, with the user in the URLs of the
// options.
func (k *conn) discovered(o *Options) (list []string) {
	first, err := url.Parse(o.Servers[0])
	if err != nil {
		return nil
	}
	for _, s := range k.nc.DiscoveredServers() {
		if u, err := url.Parse(s); err == nil {
			u.User = first.User
			list = append(list, u.String())
		}
	}
	return list
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
