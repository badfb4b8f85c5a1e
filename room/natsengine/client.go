package natsengine

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

var (
	errDisconnected = errors.New("the connection to NATS was lost")
	errUnconnected  = errors.New("not connected to NATS")
)

// plain returns errUnconnected for the error of nats.go that a buffer of size 0 is full, which is
// what it has instead of one for a connection that is lost. It returns other errors as they are.
func plain(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return errUnconnected
	}
	return err
}

// client is the connection of an engine to NATS: one conn after the other.
type client struct {
	o      *Options
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	api    string // the beginning of the subjects of the JetStream API
	log    *limiter

	redials sync.WaitGroup // see redial

	subsMu sync.Mutex // makes subscribing and replacing conn one after the other; guards subs
	subs   map[*subscription]struct{}

	mu      sync.Mutex // guards what follows
	conn    *conn
	closing bool
	link    *link
	linked  uint64                     // how often the connection was made, from 1 on
	wake    map[chan struct{}]struct{} // receive a token when it was made again
	appends appends
}

// link is a period of the connection. A new one begins when the connection is made or lost, and
// when the server refuses an operation. The context of the old one then ends, with errDisconnected
// or a deniedError.
type link struct {
	ctx context.Context
	end context.CancelCauseFunc
	up  bool // the connection is made
}

// dial returns a client that is connected to the first server that answers, until ctx ends. The
// client then restores the connection until life ends.
func dial(ctx, life context.Context, o *Options) (*client, error) {
	c := &client{
		o: o, api: jetstream.DefaultAPIPrefix, log: newLimiter(o.Logger), link: newLink(true), linked: 1,
		wake: make(map[chan struct{}]struct{}), subs: make(map[*subscription]struct{}),
	}
	c.ctx, c.cancel = context.WithCancel(life)
	if o.Domain != "" {
		c.api = "$JS." + o.Domain + ".API."
	}
	k, err := c.connect(ctx, nil)
	if err == nil && !c.install(k) {
		err = errors.Join(errDisconnected, k.nc.LastError())
	}
	if err != nil {
		c.cancel()
		return nil, err
	}
	return c, nil
}

// deniedError says that the server does not permit an operation.
type deniedError struct {
	err  error
	sole bool // it is about an append, and only one can be meant: see appends
}

func (e *deniedError) Error() string { return e.err.Error() }
func (e *deniedError) Unwrap() error { return e.err }

// isPublish reports whether a deniedError is about publishing to a subject.
func (e *deniedError) isPublish(subject string) bool {
	return strings.Contains(strings.ToLower(e.Error()), strings.ToLower(`publish to "`+subject+`"`))
}

func newLink(up bool) *link {
	ctx, end := context.WithCancelCause(context.Background())
	return &link{ctx, end, up}
}

// handle sets the handlers of a connection. Those that are set already are called as well.
func (c *client) handle(k *conn, opts *nats.Options) {
	disconnected, reconnected, failed, closed := opts.DisconnectedErrCB, opts.ReconnectedCB, opts.AsyncErrorCB, opts.ClosedCB
	if old := opts.DisconnectedCB; disconnected == nil && old != nil { // else nats.go does not call it
		disconnected = func(nc *nats.Conn, _ error) { old(nc) }
	}
	logged := false // the loss of the connection
	opts.DisconnectedErrCB = func(nc *nats.Conn, err error) {
		if logged = !nc.IsClosed() && c.log.allow("lost"); logged {
			c.log.Warn("natsengine: the connection to NATS is lost; it is made again")
		}
		c.relink(errDisconnected, false)
		if disconnected != nil {
			disconnected(nc, err)
		}
	}
	opts.ReconnectedCB = func(nc *nats.Conn) {
		if logged {
			// The address, since a URL may have a token.
			c.log.Info("natsengine: connected again", "server", nc.ConnectedAddr())
		}
		c.relink(errDisconnected, true)
		if reconnected != nil {
			reconnected(nc)
		}
	}
	opts.AsyncErrorCB = func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			c.deny(err)
			if refusedSubscription(err) {
				c.renew(k, nc)
			}
		} else if c.log.allow(err.Error()) {
			c.log.Warn("natsengine: an error of the connection", "error", c.o.redact(err))
		}
		if failed != nil {
			failed(nc, sub, err)
		}
	}
	opts.ClosedCB = func(nc *nats.Conn) {
		if closed != nil {
			closed(nc)
		}
		close(k.closed)
		c.ended(k)
	}
}

// relink ends the attempts that are running, and begins the next link: with the connection if it is
// made again, without one if not.
func (c *client) relink(why error, made bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link.end(why)
	c.link = newLink(made)
	if made {
		c.linked++
		c.appends.reconnected()
		for ch := range c.wake {
			notify(ch)
		}
	}
}

// deny ends the attempts that are running: the server does not permit one of them, and does not say
// which one. Those that are permitted are repeated.
func (c *client) deny(err error) {
	if c.log.allow(err.Error()) {
		c.log.Error("natsengine: the server refuses an operation", "error", err)
	}
	denied := &deniedError{err: err}
	c.mu.Lock()
	defer c.mu.Unlock()
	denied.sole = c.appends.denied(denied)
	c.link.end(denied)
	c.link = newLink(c.link.up)
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

// current returns the connection that was made last.
func (c *client) current() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn
}

// abort closes the network connection, without what is buffered.
func (c *client) abort() { c.current().abort() }

// close ends the connection, and returns when nats.go has called its last handler.
func (c *client) close() {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.cancel()
	c.redials.Wait()
	c.current().close()
	c.currentLink().end(errClosed)
}
