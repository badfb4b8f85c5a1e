package client

import (
	"context"
	"iter"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Where things are:
//
//	client.go, options.go, errors.go    the API of a client
//	dial.go, run.go                     how it starts, connects again and ends
//	ending.go, backoff.go               what it does after a connection has ended, and how soon
//	token.go, renewal.go                asking for tokens, showing them to the server
//	connection.go                       one connection, with its two goroutines
//	outbox.go, receive.go               what a connection writes, what it reads
//	link.go, library.go                 the WebSocket, and the library that implements it
//	plan.go, join.go                    the API of a plan, and its phases
//	stream.go, versions.go, roster.go   what the messages of a plan change
//	event.go, queue.go                  the items of a stream, and how they wait for the program
//	position.go                         the position of a plan, from a header of its response

// State is the state of a client.
type State string

// The states.
const (
	StateConnecting State = "connecting"
	StateConnected  State = "connected"
	StateWaiting    State = "waiting" // for the next attempt to connect
	StateClosed     State = "closed"  // the client has ended; see Client.Err
)

// Client keeps a connection to a server of plan rooms, and reconnects when it loses it. Create one
// with [Dial] or [Open] and end it with [Client.Close]. All methods may be called concurrently.
type Client struct {
	// Fixed at creation.
	opts     Options
	dial     dialFunc
	lazy     bool            // created by Open: no answer to a handshake is final
	values   context.Context // has the values of Dial's context and never ends
	calls    context.Context // ends with Close; bounds the TokenFunc calls of Renew
	endCalls context.CancelFunc
	ready    chan struct{} // closed at the first hello
	kick     chan struct{} // holds a value when the wait before the next attempt is to end
	tokens   *tokenCalls
	notices  *queue[protocol.Message]

	// mu guards the following. It is locked before queue.mu. No callback runs and nothing blocks
	// under it.
	mu        sync.Mutex
	state     State
	cause     error // why the last connection or attempt ended; nil while connected
	closing   bool  // Close was called
	greeted   bool  // ready is closed
	userID    string
	conn      *connection // nil while there is none
	plans     map[string]*Plan
	token     Token
	refused   bool   // the server refused token
	refusals  int    // refused tokens in a row
	offer     *offer // token that the server has not received yet; nil if there is none
	attempted *offer // offer whose token the attempt under way uses
	retry     backoff
	restart   bool               // an attempt is to begin at once, and has not begun yet
	interrupt context.CancelFunc // ends the attempt under way
	cancel    context.CancelFunc // ends run
	done      chan struct{}      // closed when run has returned

	unanswered time.Time // when a handshake last failed without an answer; zero: never
}

// NextNotice waits for the next private notice of the host. Notices are delivered at most once. If
// more than 256 notices, or more than Options.QueueBytes, are queued, the older half is dropped.
// NextNotice returns the error of ctx, or that of [Client.Err] when the client has ended.
func (c *Client) NextNotice(ctx context.Context) (protocol.Message, error) {
	return c.notices.take(ctx, func(protocol.Message) {})
}

// Notices returns the private notices of the host, like [Client.NextNotice]. The last pair has the
// error.
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

// ClientID returns the client ID, for the header X-Plan-Client of requests that change a plan.
func (c *Client) ClientID() string { return c.opts.ClientID }

// UserID returns the ID of the user that the server sent in its last hello. It is "" before the
// first connection.
func (c *Client) UserID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.userID
}

// State returns the state of the client.
func (c *Client) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Done returns a channel that is closed when the client has ended. After [Client.Reconnect] or
// [Client.Renew] has restarted a client, Done returns another channel.
func (c *Client) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.done
}

// Err returns why the client has ended: [ErrClosed] after Close, otherwise usually a [CloseError].
// It is nil as long as the client is connected or tries to connect.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != StateClosed {
		return nil
	}
	return c.cause
}

// LastError returns why the last connection, or the last attempt to connect, ended. It is nil while
// the client is connected, and before the first attempt has failed.
func (c *Client) LastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// Close leaves all plans and closes the connection. It returns when all goroutines of the client
// have ended, which takes three seconds at most. It does not wait for a TokenFunc that ignores its
// context. It always returns nil. Further calls do nothing.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closing = true
	n, done, cancel := c.conn, c.done, c.cancel
	c.mu.Unlock()
	c.endCalls()
	if n == nil {
		cancel()
	} else { // the connection writes its last messages first
		n.signal()
		defer time.AfterFunc(closeTimeout, n.cut).Stop()
	}
	<-done
	return nil
}

// newerHalf makes room among the notices.
func newerHalf(items []protocol.Message) []protocol.Message { return items[(len(items)+1)/2:] }

func noticeBytes(m protocol.Message) int { return eventBytes + len(m.Data) + len(m.Type) }
