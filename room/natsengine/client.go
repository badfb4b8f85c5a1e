package natsengine

import (
	"context"
	"errors"
	"log/slog"
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

// client is the connection of an engine to NATS.
type client struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	legacy nats.JetStreamContext // its GetMsg asks the stream's leader, unlike that of jetstream
	api    string                // the beginning of the subjects of the JetStream API
	log    *slog.Logger
	closed chan struct{} // closed when nats.go has ended the connection
	abort  func()        // closes the network connection, without what is buffered

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

func (e *deniedError) Error() string { return e.err.Error() }
func (e *deniedError) Unwrap() error { return e.err }

// isPublish reports whether a deniedError is about publishing to a subject.
func (e *deniedError) isPublish(subject string) bool {
	return strings.Contains(strings.ToLower(e.Error()), strings.ToLower(`publish to "`+subject+`"`))
}

func newLink() *link {
	ctx, end := context.WithCancelCause(context.Background())
	return &link{ctx, end}
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
		// The address, since a URL may have a token.
		c.log.Info("natsengine: connected again", "server", nc.ConnectedAddr())
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
