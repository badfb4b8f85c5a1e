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
	helloTimeout = 10 * time.Second // after it
	writeTimeout = 10 * time.Second
	pingAfter    = 25 * time.Second // of silence
	pongTimeout  = 10 * time.Second
	// lateness is how much later than planned the client looks at the clock before it concludes that it was asleep itself.
	lateness = 5 * time.Second
	// goodbyeTimeout is how long after goodbye the close frame may take.
	goodbyeTimeout = 2 * time.Second
)

// connection is one connection of a client, from the handshake to its end.
//
//	opened ──hello──▶ ready ──goodbye──▶ parting ──close frame──▶ gone
//	   │                │                   │
//	   └────────────────┴─── cut: no hello, silence, a bad token, too long a message, Client.Close
//
// Two goroutines serve it: that of Client.run is its keeper, which writes and keeps the time, and its reader.
type connection struct {
	// Fixed at creation.
	client *Client
	link   link
	ctx    context.Context // the lifetime of the connection
	cancel context.CancelFunc
	wake   chan struct{} // tells the keeper to look again
	gone   chan struct{} // closed when the reader has ended

	readErr  error          // why reading ended; valid once gone is closed
	renewals sync.WaitGroup // the goroutine that asks for a token

	// Guarded by Client.mu.
	ready       bool      // the hello has come
	greeted     bool      // OnState knows that
	seen        time.Time // when something came last; at first, when the connection was opened
	pinged      time.Time // when the ping was sent that nothing has come after; zero: none
	stableSince time.Time // since when it does what it is there for; zero: not yet
	goodbye     *protocol.Goodbye
	goodbyeAt   time.Time
	garbled     bool            // a message could not be read
	remarks     []remark        // what receive has found
	outbox      []outgoing      // what waits to be written
	urgent      []outgoing      // what is written before that
	leaving     map[string]bool // plans whose leave-plan has not been answered; they are not joined before
	parting     bool            // Client.Close: what is in the outbox is the last
	pace        pace
	renewing    bool      // a token is being asked for, or waits for the server's answer
	renewAt     time.Time // zero: never
	renewed     Token     // the one that waits for the answer
	fault       error     // why the client gives up the connection
}

// errFarewell ends keep when all that was to be said before Close has been written.
var errFarewell = errors.New("client: farewell")

// serve runs a connection to its end.
func (c *Client) serve(l link) ending {
	n := &connection{client: c, link: l, wake: make(chan struct{}, 1), gone: make(chan struct{}), leaving: make(map[string]bool), seen: time.Now()}
	n.ctx, n.cancel = context.WithCancel(c.ctx)
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
	if errors.Is(err, errFarewell) || errors.Is(err, errBadToken) {
		l.Close(protocol.CloseNormal)
	}
	n.cut()
	<-n.gone
	n.renewals.Wait()
	l.Release()

	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	now := time.Now()
	for _, p := range c.plans {
		p.detachLocked(now)
		if errors.Is(n.readErr, errTooBig) {
			p.received = protocol.Position{} // what can't be read would only come again
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

// signal tells the keeper that there is something to do.
func (n *connection) signal() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// read is the reader's goroutine. It never waits for anything but the server.
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

// keep writes and keeps the time until the connection is over.
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

// write sends a message. If it fails the reader may know better why.
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

// deadline collects the times at which to look again.
type deadline struct{ at time.Time }

// passed reports whether at has come; otherwise it is to be waited for. Zero is never.
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

// step does what is due. It returns a message to write, or when to come again, or why the connection is to end.
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
		for _, p := range c.plans {
			if p.phase == parked && d.passed(p.retryAt, now) {
				n.askLocked(p)
			}
		}
	}
	if len(n.urgent)+len(n.outbox) > 0 && d.passed(n.pace.at(), now) {
		if message := n.nextLocked(); message != nil {
			n.pace.sent(now)
			return message, d.at, nil
		}
	}
	if n.parting && len(n.outbox) == 0 {
		return nil, d.at, errFarewell
	}
	return nil, d.at, nil
}

// overdueLocked tells why the connection is to be given up, if it is.
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
		n.pingLocked(now, d) // the process was stopped: what the server has sent meanwhile may not have been read yet
	case d.passed(n.seen.Add(pingAfter), now):
		n.pingLocked(now, d)
	}
	return nil
}

func (n *connection) pingLocked(now time.Time, d *deadline) {
	n.pinged = now
	n.urgent = append(n.urgent, outgoing{kind: protocol.TypePing})
	d.passed(now.Add(pongTimeout), now)
}
