package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

const (
	dialTimeout  = 10 * time.Second // for the handshake
	helloTimeout = 10 * time.Second // from the handshake to the hello
	writeTimeout = 10 * time.Second
	// pingAfter is the silence after which the client sends a ping. It is also how long the client
	// may send nothing after the handshake: a server closes a connection without any message from
	// the client after 30 s.
	pingAfter   = 25 * time.Second
	pongTimeout = 10 * time.Second
	// lateness is how much later than planned the client may look at the clock. If it is later, the
	// process was suspended.
	lateness = 5 * time.Second
	// goodbyeTimeout bounds the time from goodbye to the close frame.
	goodbyeTimeout = 2 * time.Second
)

// connection is one connection of a client, from the handshake to its end.
//
//	opened ──hello──▶ ready ──goodbye──▶ parting ──close frame──▶ gone
//	   │                │                   │
//	   └────────────────┴───────────────────┴─▶ cut: no hello, silence, a bad token,
//	                                             a message that is too long, Close, Reconnect
//
// Two goroutines serve it: the keeper, which is that of Client.run, writes and keeps the time; the
// reader reads.
type connection struct {
	// Fixed at creation.
	client *Client
	link   link
	ctx    context.Context // the lifetime of the connection
	cancel context.CancelFunc
	opened time.Time     // when the handshake was complete
	wake   chan struct{} // holds a value when the keeper has something to do
	gone   chan struct{} // closed when the reader has ended

	readErr  error          // why reading ended; valid once gone is closed
	renewals sync.WaitGroup // the goroutine that asks for a token

	// Guarded by Client.mu.
	ready       bool      // the hello was received
	greeted     bool      // OnState was called with StateConnected
	spoke       bool      // a message was written
	seen        time.Time // when the last message was received; at first, opened
	pinged      time.Time // when the last ping was queued; zero if a message was received since
	stableSince time.Time // since when the connection is useful; zero: not yet
	goodbye     *protocol.Goodbye
	goodbyeAt   time.Time
	garbled     bool       // a malformed message was logged
	logs        []logEntry // written when Client.mu is free
	outbox      []outgoing // requests to write
	urgent      []outgoing // requests to write before those of outbox
	// leaving has the plans whose leave-plan is not answered yet, and when it was written; zero:
	// not yet. The client does not join them before.
	leaving map[string]time.Time
	parting bool // Close was called: the requests in outbox are the last
	pace    pace
	asking  bool      // ask is running
	renewAt time.Time // when to ask for a token; zero: never
	shown   *offer    // sent to the server and not answered yet
	shownAt time.Time // when a token was sent last; zero: never
	fault   error     // why the connection ends or has ended; nil: it is in use
}

// errFarewell ends keep after Close, when the last message has been written.
var errFarewell = errors.New("client: farewell")

// serve runs a connection until it ends.
func (c *Client) serve(ctx context.Context, l link) ending {
	now := time.Now()
	n := &connection{
		client: c, link: l, opened: now, seen: now,
		wake: make(chan struct{}, 1), gone: make(chan struct{}), leaving: make(map[string]time.Time),
	}
	n.ctx, n.cancel = context.WithCancel(ctx)
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		n.cancel()
		l.Release()
		return ending{err: ErrClosed}
	}
	c.conn = n
	c.mu.Unlock()

	go n.read() // waited for below
	err := n.keep()
	c.mu.Lock()
	n.failLocked(err) // a Renew from now on needs another connection
	c.mu.Unlock()
	if errors.Is(err, errFarewell) || errors.Is(err, errBadToken) || errors.Is(err, errReconnect) {
		l.Close(protocol.CloseNormal)
	}
	n.cut()
	<-n.gone
	n.renewals.Wait()
	l.Release()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	if n.shown != nil {
		n.returnLocked(n.shown)
	}
	now = time.Now()
	for _, p := range c.plans {
		p.detachLocked(now)
		if errors.Is(n.readErr, errTooBig) {
			p.chain = protocol.Chain{} // the server would send the same message again
		}
	}
	end := endingOf(err, n.goodbye)
	end.stableSince = n.stableSince
	return end
}

// cut ends the connection from any goroutine.
func (n *connection) cut() {
	n.cancel()
	n.link.Cut()
}

// failLocked makes the keeper end the connection.
func (n *connection) failLocked(err error) {
	if n.fault == nil {
		n.fault = err
	}
	n.signal()
}

// signal wakes the keeper.
func (n *connection) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// read is the reader's goroutine. It waits only for the server.
func (n *connection) read() {
	defer close(n.gone)
	for {
		b, err := n.link.Read(n.ctx)
		if err != nil {
			n.readErr = err
			return
		}
		n.receive(b)
	}
}

// keep writes and keeps the time until the connection ends.
func (n *connection) keep() error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		message, at, err := n.step(time.Now())
		if err != nil {
			return err
		}
		if message != nil {
			if err := n.write(message); err != nil {
				return err
			}
			continue
		}
		timer.Reset(time.Until(at))
		select {
		case <-timer.C:
		case <-n.wake:
		case <-n.gone:
			return n.readErr
		}
	}
}

// write sends a message. After an error it waits for that of the reader, which may have received
// the close frame.
func (n *connection) write(message []byte) error {
	ctx, cancel := context.WithTimeout(n.ctx, writeTimeout)
	defer cancel()
	err := n.link.Write(ctx, message)
	if err == nil {
		return nil
	}
	t := time.NewTimer(closeTimeout)
	defer t.Stop()
	select {
	case <-n.gone:
		return n.readErr
	case <-t.C:
		return err
	}
}

// deadline is the earliest of several times.
type deadline struct{ at time.Time }

// passed reports whether at has passed. If not, d is at or earlier. Zero never passes.
func (d *deadline) passed(at, now time.Time) bool {
	if at.IsZero() {
		return false
	}
	if !now.Before(at) {
		return true
	}
	if at.Before(d.at) {
		d.at = at
	}
	return false
}

// step does what is due. It returns a message to write, or the time of the next step, or the error
// that ends the connection.
func (n *connection) step(now time.Time) (message []byte, _ time.Time, _ error) {
	c := n.client
	c.mu.Lock()
	if n.ready && !n.greeted {
		n.greeted = true
		c.mu.Unlock()
		c.opts.OnState(StateConnected, nil)
		c.mu.Lock()
	}
	defer c.mu.Unlock()
	d := deadline{now.Add(time.Hour)}
	if err := n.overdueLocked(now, &d); err != nil {
		return nil, d.at, err
	}
	if c.closing && !n.parting {
		n.parting = true
		for _, p := range c.plans {
			p.leaveLocked(ErrClosed)
		}
	}
	if n.ready && !n.parting {
		n.renewLocked(now, &d)
		n.retryLocked(now, &d)
	}
	if len(n.urgent)+len(n.outbox) > 0 && d.passed(n.pace.at(), now) {
		if message := n.nextLocked(now); message != nil {
			n.pace.sent(now)
			n.spoke = true
			return message, d.at, nil
		}
	}
	if n.parting && len(n.outbox) == 0 {
		return nil, d.at, errFarewell
	}
	return nil, d.at, nil
}

// retryLocked sends requests again whose time has come: joins and states that the server refused
// for the moment, and requests without an answer.
func (n *connection) retryLocked(now time.Time, d *deadline) {
	for _, p := range n.client.plans {
		if p.phase == asked && !p.joinQueued && d.passed(p.askedAt.Add(answerTimeout), now) {
			p.parkLocked(now)
		}
		if p.phase == parked && d.passed(p.retryAt, now) {
			n.askLocked(p)
		}
		if d.passed(p.showAt, now) {
			p.showAt = time.Time{}
			n.showLocked(p)
		}
	}
	for planID, at := range n.leaving {
		if !at.IsZero() && d.passed(at.Add(answerTimeout), now) {
			n.leftLocked(planID)
		}
	}
}

// overdueLocked returns the error that ends the connection if the server is late, and sends pings.
func (n *connection) overdueLocked(now time.Time, d *deadline) error {
	switch {
	case n.fault != nil:
		return n.fault
	case n.goodbye != nil:
		if d.passed(n.goodbyeAt.Add(goodbyeTimeout), now) {
			return errNoClose
		}
	case !n.ready:
		if d.passed(n.seen.Add(helloTimeout), now) {
			return errNoHello
		}
	case !n.pinged.IsZero():
		by := n.pinged.Add(pongTimeout)
		if !d.passed(by, now) {
			return nil
		}
		if now.Sub(by) < lateness {
			return errSilent
		}
		// The process was suspended, and may not have read what the server sent.
		n.pingLocked(now, d)
	case !n.spoke && d.passed(n.opened.Add(pingAfter), now), d.passed(n.seen.Add(pingAfter), now):
		n.pingLocked(now, d)
	}
	return nil
}

func (n *connection) pingLocked(now time.Time, d *deadline) {
	n.pinged = now
	n.urgent = append(n.urgent, outgoing{kind: protocol.TypePing})
	d.passed(now.Add(pongTimeout), now)
}
