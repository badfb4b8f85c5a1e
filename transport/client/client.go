package client

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// State is where a client stands.
type State string

// The states.
const (
	StateConnecting State = "connecting"
	StateConnected  State = "connected"
	StateWaiting    State = "waiting" // to connect again
	StateClosed     State = "closed"  // for good
)

// Client is a connection to a server of plan rooms that is made again whenever it is lost. Create one with [Dial]; end it with
// [Client.Close]. All methods are safe for concurrent use.
type Client struct {
	// Fixed at creation.
	opts   Options
	dial   dialFunc
	ctx    context.Context // the lifetime of the client
	cancel context.CancelFunc
	done   chan struct{} // closed when run has ended
	ready  chan struct{} // closed with the first hello

	notices *queue[protocol.Message]

	mu       sync.Mutex // guards the following; taken before queue.mu. No callback and nothing that waits runs under it
	state    State
	cause    error // why it is not connected, if that is known
	closing  bool  // Close was called
	greeted  bool  // ready is closed
	userID   string
	conn     *connection // nil: none
	plans    map[string]*Plan
	token    Token
	refused  bool // the server did not accept token
	refusals int  // of tokens in a row
	retry    backoff

	unanswered time.Time // when a handshake last got no answer; zero: never
}

// replacedBySelf is how long after a handshake without an answer a 4409 may be its doing: the server can have been so slow with it that the next
// connection of this client was there before, and then takes the older one for the newer.
const replacedBySelf = time.Minute

// run connects again and again.
func (c *Client) run() {
	defer close(c.done)
	defer c.cancel()
	for {
		c.tell(StateConnecting, nil)
		end := c.attempt()
		wait, final := c.judge(end, time.Now())
		if final != nil {
			c.finish(final)
			return
		}
		c.opts.Logger.Debug("client: connection ended", slog.Any("error", end.err), slog.Duration("wait", wait))
		c.tell(StateWaiting, end.err)
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-c.ctx.Done():
			t.Stop()
		}
	}
}

func (c *Client) tell(s State, cause error) {
	c.mu.Lock()
	c.state = s
	if cause != nil { // while it connects again, why it has to is still of interest
		c.cause = cause
	}
	c.mu.Unlock()
	c.opts.OnState(s, cause)
}

// attempt makes one connection and serves it to its end.
func (c *Client) attempt() ending {
	token, err := c.tokenForConnect()
	if err != nil {
		return endingOf(tokenError{err}, nil)
	}
	ctx, cancel := context.WithTimeout(c.ctx, dialTimeout)
	l, err := c.dial(ctx, token.Value)
	cancel()
	if err != nil {
		if refused := (*HandshakeError)(nil); !errors.As(err, &refused) {
			c.mu.Lock()
			c.unanswered = time.Now()
			c.mu.Unlock()
		}
		return endingOf(err, nil)
	}
	return c.serve(l)
}

// judge says how long to wait before the next attempt, or why there will be none.
func (c *Client) judge(end ending, now time.Time) (wait time.Duration, final error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return 0, ErrClosed
	}
	if errors.Is(end.err, ErrReplaced) && !c.unanswered.IsZero() && now.Sub(c.unanswered) < replacedBySelf {
		end.reconnect = true
	}
	if end.reauth {
		c.refused = true
		c.refusals++
	}
	if !end.reconnect || c.refusals > 1 || end.unlessFirst && !c.greeted {
		return 0, end.err
	}
	c.retry.worked(end.stableSince, now)
	if wait = c.retry.next(); end.retryAfter > 0 {
		wait = end.retryAfter
	}
	return wait, nil
}

// finish ends everything.
func (c *Client) finish(err error) {
	c.mu.Lock()
	c.state, c.cause = StateClosed, err
	for _, p := range c.plans {
		p.endLocked(err, err == ErrClosed)
	}
	c.mu.Unlock()
	c.notices.end(err, err == ErrClosed)
	c.opts.OnState(StateClosed, err)
}

// NextNotice waits for the next private notice of the host. Notices come at most once; of more than 256 that wait, or more than
// Options.QueueBytes, the older half is dropped. It returns ctx's error, and once the client has ended that of Err.
func (c *Client) NextNotice(ctx context.Context) (protocol.Message, error) {
	return c.notices.take(ctx, func(protocol.Message) {})
}

// Notices returns the private notices of the host, as NextNotice does. It ends with an error, which is its last pair.
func (c *Client) Notices(ctx context.Context) iter.Seq2[protocol.Message, error] {
	return func(yield func(protocol.Message, error) bool) {
		for {
			m, err := c.NextNotice(ctx)
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// ClientID returns the id of this client, for the header X-Plan-Client of requests that change a plan.
func (c *Client) ClientID() string { return c.opts.ClientID }

// UserID returns for whom the server takes the client.
func (c *Client) UserID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.userID
}

// State returns where the client stands.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Done is closed when the client has ended, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the client has ended: [ErrClosed] after Close, else usually a [CloseError]. It is nil before.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != StateClosed {
		return nil
	}
	return c.cause
}

// Close leaves all plans, closes the connection and returns when no goroutine of the client is left, a second or two later
// at worst; a TokenFunc that does not heed its context is waited for. It always returns nil. Calling it twice is safe.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closing = true
	n := c.conn
	c.mu.Unlock()
	if n == nil {
		c.cancel() // nothing is to be said to anybody
	} else {
		n.signal()
		defer time.AfterFunc(closeTimeout, n.cut).Stop()
	}
	<-c.done
	return nil
}
