package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
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
	cause    error // why it is waiting or closed
	closing  bool  // Close was called
	greeted  bool  // ready is closed
	userID   string
	conn     *connection // nil: none
	plans    map[string]*Plan
	token    Token
	refused  bool // the server did not accept token
	refusals int  // of tokens in a row
	retry    backoff
}

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
	c.state, c.cause = s, cause
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

// JoinOptions say how to join a plan. Nil and the zero value mean the defaults.
type JoinOptions struct {
	// Since is where to begin: the position that came with the plan, or that an earlier [Event] carried. What has happened since then comes
	// first, or a [Reload] if the server no longer has it. The zero value means to begin now, with a Reload.
	Since protocol.Position
}

// Join enters a plan, and returns when the server has let the client in. It waits as long as that cannot be found out, be it that there is no
// connection. If ctx ends first the client is not in the plan. Errors: ctx's, [ErrPlanID], [ErrPosition], [ErrJoined],
// [ErrForbidden], [ErrTooManyPlans], [ErrRemoved], [ErrClosed], and that of Err.
func (c *Client) Join(ctx context.Context, planID string, opts *JoinOptions) (*Plan, error) {
	var since protocol.Position
	if opts != nil {
		since = opts.Since
	}
	p, err := c.enter(planID, since)
	if err == nil {
		select {
		case <-p.answered:
			err = p.failure()
		case <-ctx.Done():
			p.Leave()
			err = ctx.Err()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("join plan %q: %w", planID, err)
	}
	return p, nil
}

// enter makes a plan that is to be joined.
func (c *Client) enter(planID string, since protocol.Position) (*Plan, error) {
	switch {
	case !protocol.ValidPlanID(planID):
		return nil, ErrPlanID
	case since != protocol.Position{} && !validPosition(since):
		return nil, ErrPosition
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.state == StateClosed:
		return nil, c.cause
	case c.closing:
		return nil, ErrClosed
	case c.plans[planID] != nil:
		return nil, ErrJoined
	}
	p := newPlan(c, planID, since)
	c.plans[planID] = p
	if c.conn != nil {
		c.conn.askLocked(p)
	}
	return p, nil
}

// failure is why the plan has not been entered; nil if it has.
func (p *Plan) failure() error {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	if p.joined {
		return nil
	}
	return p.err
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
