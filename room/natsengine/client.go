package natsengine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// tryTimeout ends one attempt of a request. JetStream never answers a request that it got before
	// a leader was elected.
	tryTimeout = 2 * time.Second
	// notReady is how long Open and Beat repeat requests that JetStream is not ready for.
	notReady = 10 * time.Second
	// A connection that is silent for two pings of this interval is dead. The hubs' tenures last 12 s.
	pingInterval  = 2 * time.Second
	reconnectWait = 100 * time.Millisecond
)

var errDisconnected = errors.New("natsengine: the connection to NATS was lost")

// client is the connection of an engine to NATS.
type client struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	legacy nats.JetStreamContext // its GetMsg asks the stream's leader, unlike that of jetstream
	api    string                // the beginning of the subjects of the JetStream API
	log    *slog.Logger
	closed chan struct{} // closed when nats.go has ended the connection

	mu     sync.Mutex // guards what follows
	link   *link
	linked uint64                     // how often the connection was made, from 1 on
	wake   map[chan struct{}]struct{} // receive a token when it was made again
	denied map[string]bool            // operations that were refused since then
}

// link is the time from when the connection was made until it is lost. Its context ends then, with
// errDisconnected, or with a deniedError.
type link struct {
	ctx context.Context
	end context.CancelCauseFunc
}

// deniedError says that the server does not permit an operation.
type deniedError struct{ err error }

func (e *deniedError) Error() string { return "natsengine: " + e.err.Error() }
func (e *deniedError) Unwrap() error { return e.err }

func newLink() *link {
	ctx, end := context.WithCancelCause(context.Background())
	return &link{ctx, end}
}

// dial connects to the first server that answers.
// Later connections are made until life ends.
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
	c.handle(&opts)
	d := &dialer{inner: opts.CustomDialer, ctx: ctx, first: true}
	opts.CustomDialer = d
	nc, err := opts.Connect()
	d.done(life)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err)
		}
		return nil, fmt.Errorf("natsengine: connect: %w", err)
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

// handle sets the handlers of the connection. Those that are set already are called as well.
func (c *client) handle(opts *nats.Options) {
	disconnected, reconnected, failed, closed := opts.DisconnectedErrCB, opts.ReconnectedCB, opts.AsyncErrorCB, opts.ClosedCB
	opts.DisconnectedErrCB = func(nc *nats.Conn, err error) {
		if !nc.IsClosed() {
			c.log.Warn("natsengine: the connection to NATS is lost; it is made again")
		}
		c.relink(errDisconnected, false)
		if disconnected != nil {
			disconnected(nc, err)
		}
	}
	opts.ReconnectedCB = func(nc *nats.Conn) {
		c.log.Info("natsengine: connected again", "server", nc.ConnectedUrlRedacted())
		c.relink(errDisconnected, true)
		if reconnected != nil {
			reconnected(nc)
		}
	}
	opts.AsyncErrorCB = func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			c.deny(err)
		} else {
			c.log.Warn("natsengine: an error of the connection", "error", err)
		}
		if failed != nil {
			failed(nc, sub, err)
		}
	}
	opts.ClosedCB = func(nc *nats.Conn) {
		if closed != nil {
			closed(nc)
		}
		close(c.closed)
	}
}

// relink ends the attempts that are running, and begins the next link.
func (c *client) relink(why error, again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link.end(why)
	c.link = newLink()
	if again {
		c.linked++
		c.denied = nil
		for ch := range c.wake {
			notify(ch)
		}
	}
}

// deny ends the attempts that are running: the server does not permit one of them. It logs each
// operation once in a connection.
func (c *client) deny(err error) {
	c.mu.Lock()
	logged := c.denied[err.Error()]
	if c.denied == nil {
		c.denied = make(map[string]bool)
	}
	c.denied[err.Error()] = true
	c.mu.Unlock()
	if !logged {
		c.log.Error("natsengine: the server refuses an operation", "error", err)
	}
	c.relink(&deniedError{err}, false)
}

// notify leaves a token in a channel that holds one.
func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (c *client) currentLink() *link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// links returns how often the connection was made, from 1 on.
func (c *client) links() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.linked
}

// onReconnect has a token left in ch after each reconnect until the returned function is called.
func (c *client) onReconnect(ch chan struct{}) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake[ch] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.wake, ch)
	}
}

// close ends the connection, and returns when nats.go has called its last handler.
func (c *client) close() {
	c.nc.Close()
	<-c.closed
	c.currentLink().end(errClosed)
}

// attempt calls f with a context that ends with ctx, after tryTimeout, or when the connection is
// lost. It returns nil, the error of f, a deniedError or errDisconnected.
func (c *client) attempt(ctx context.Context, f func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l := c.currentLink()
	try, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	defer context.AfterFunc(l.ctx, cancel)()
	err := f(try)
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() == nil && l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return err
}

// persist repeats a request of the JetStream API that may be repeated, while an error may go away.
func (c *client) persist(ctx context.Context, what string, f func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, notReady)
	defer cancel()
	for n := 0; ; n++ {
		err := c.attempt(limit, f)
		if err == nil {
			return nil
		}
		if passing(err) && pause(limit, n) == nil {
			continue
		}
		switch {
		case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
			what += ": JetStream is not enabled for the account"
		case unanswered(err) && !c.nc.IsConnected():
			what += ": not connected"
		case unanswered(err):
			what += ": JetStream does not answer: it is not enabled, or its servers have no leader"
		}
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			return fmt.Errorf("natsengine: %s: %w; last: %w", what, cause, err)
		}
		return fmt.Errorf("natsengine: %s: %w", what, err)
	}
}

// unanswered reports whether an error says that JetStream has not answered.
func unanswered(err error) bool {
	return errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, errDisconnected)
}

// noPeers is the error code of a cluster in which too few servers are known yet.
const noPeers = 10005

// passing reports whether an error of a request may go away when it is repeated.
func passing(err error) bool {
	var denied *deniedError
	var api *jetstream.APIError
	var legacy *nats.APIError
	switch {
	case errors.As(err, &denied), errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, errClosed):
		return false
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return false
	case errors.As(err, &api):
		return api.Code == 503 || api.ErrorCode == noPeers
	}
	if errors.As(err, &legacy) {
		return legacy.Code == 503
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, errDisconnected) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected)
}

// pause waits before the attempt after the nth, 20 to 250 ms. It returns the error of ctx if ctx
// ends meanwhile.
func pause(ctx context.Context, n int) error {
	t := time.NewTimer(min(20*time.Millisecond<<min(n, 4), 250*time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// dialer ends the dialing and the handshake of the first connection with the context of Open.
type dialer struct {
	inner nats.CustomDialer

	mu    sync.Mutex // guards what follows
	ctx   context.Context
	first bool // before done
	stops []func() bool
}

func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first {
		d.stops = append(d.stops, context.AfterFunc(ctx, func() { conn.Close() }))
	}
	return conn, nil
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

// isPublish reports whether a deniedError is about publishing to a subject.
func (e *deniedError) isPublish(subject string) bool {
	return strings.Contains(strings.ToLower(e.Error()), strings.ToLower(`publish to "`+subject+`"`))
}
