package transport_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// viewer is one page of a user in the load, over any number of connections. It checks each message
// against what it has received, what it has requested, and the ledger. One goroutine, its reader,
// connects and reads. Other goroutines may call ask and await.
type viewer struct {
	// Fixed at creation.
	page
	t         testing.TB
	fail      func() // stops the load; does not wait for it
	server    *server
	kind      kind
	ledger    *ledger
	plans     []string
	buffer    int  // size of the socket's receive buffer; 0: default
	revocable int  // index of its user among those whose access is revoked; -1: none
	restless  bool // repeatedly asks to join

	mu       sync.Mutex // guards the following
	changed  *sync.Cond // any of the following has changed
	c        *client    // set only by the reader
	greeted  bool
	asked    []request          // requests without an answer, oldest first
	messages int                // sent on this connection
	goodbye  protocol.CloseCode // of this connection
	code     protocol.CloseCode // close code of this connection; 0 while it is open
	stopped  bool               // the viewer will not connect again
	// number of its user's last revocation that was followed by a restore
	restored int
	follows  map[string]*following
	skips    []skip
}

// following is what a viewer knows about one plan.
type following struct {
	in       bool
	chain    protocol.Chain
	admitted int // viewer.restored when the join was sent
	count    int
	people   map[string]bool // nil once the server sends only the count

	events, resyncs, recovered int
}

// request is a join or a leave, followed by a presence update without a state. The server handles
// the messages about one plan in order, so the error for the update means that it has handled the
// request.
type request struct {
	protocol.Request
	admitted int
}

// followLocked returns the viewer's state of a plan.
func (v *viewer) followLocked(plan string) *following {
	f := v.follows[plan]
	if f == nil {
		f = &following{}
		v.follows[plan] = f
	}
	return f
}

// state returns a copy of the viewer's state of a plan.
func (v *viewer) state(plan string) following {
	v.mu.Lock()
	defer v.mu.Unlock()
	return *v.followLocked(plan)
}

// failLocked stops the viewer with a failure.
func (v *viewer) failLocked(format string, args ...any) {
	if !v.stopped {
		v.t.Errorf("%s/%s: "+format, append([]any{v.user, v.client}, args...)...)
		v.stopLocked()
		v.fail()
	}
}

func (v *viewer) stopLocked() {
	v.stopped = true
	if v.c != nil {
		_ = v.c.nc.Close()
	}
	v.changed.Broadcast()
}

// quit stops the viewer for good.
func (v *viewer) quit() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopLocked()
}

// await waits until done returns true. It calls done under mu. It reports false if the viewer stops
// before that, and fails the viewer after testTimeout.
func (v *viewer) await(what string, done func() bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	waiting := true
	defer func() { waiting = false }()
	if !done() && !v.stopped {
		late := time.AfterFunc(testTimeout, func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			if waiting {
				v.failLocked("timeout waiting for %s", what)
			}
		})
		defer late.Stop()
	}
	for !done() && !v.stopped {
		v.changed.Wait()
	}
	return done()
}

// awaitPosition waits until the viewer has reached a position of a plan.
func (v *viewer) awaitPosition(plan string, seq uint64) bool {
	return v.await("events", func() bool { return v.followLocked(plan).chain.Position().Seq >= seq })
}

// open opens a connection and reads nothing.
func (v *viewer) open() (*client, error) {
	c, resp, err := tryOpen(v.t, v.server.of[v.kind], handshake{
		query: "?client=" + url.QueryEscape(v.client), token: tokenOf(v.user), buffer: v.buffer,
	})
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	return c, err
}

// use continues with a new connection, which has not joined a plan.
func (v *viewer) use(c *client, err error) bool {
	v.mu.Lock()
	if err != nil {
		v.failLocked("handshake: %v", err)
		v.mu.Unlock()
		return false
	}
	v.c, v.greeted, v.asked, v.messages, v.goodbye, v.code = c, false, nil, 0, 0, 0
	for _, f := range v.follows {
		f.in = false
	}
	v.changed.Broadcast()
	v.mu.Unlock()
	return v.readUntil(func() bool { return v.greeted })
}

// enter joins the viewer's plans at its last positions, and reads until all joins are answered.
func (v *viewer) enter() bool {
	for _, plan := range v.plans {
		v.ask(protocol.TypeJoinPlan, plan)
	}
	return v.readAnswers()
}

// connect calls open, use and enter.
func (v *viewer) connect() bool { return v.use(v.open()) && v.enter() }

// ask sends a request about a plan, followed by a presence update without a state. A join has the
// viewer's position. The server answers the update with an error after it has handled the request.
func (v *viewer) ask(t protocol.Type, plan string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.askLocked(t, plan)
}

func (v *viewer) askLocked(t protocol.Type, plan string) {
	q := request{protocol.Request{Type: t, PlanID: plan}, v.restored}
	if f := v.followLocked(plan); t == protocol.TypeJoinPlan && f.chain.Position().Epoch != "" {
		since := f.chain.Position()
		q.Since = &since
	}
	b, err := protocol.EncodeRequest(q.Request)
	if err != nil {
		v.failLocked("%v", err)
		return
	}
	v.asked = append(v.asked, q)
	v.messages += 2
	update := fmt.Appendf(nil, `{"type":"update-presence","planId":%q}`, plan)
	v.c.write(append(clientFrame(fin|opText, b), clientFrame(fin|opText, update)...))
}

// readUntil reads until done returns true. It calls done under mu. It reports false if the
// connection ends before that.
func (v *viewer) readUntil(done func() bool) bool {
	for {
		v.mu.Lock()
		reached, stopped := done(), v.stopped
		v.mu.Unlock()
		if reached || stopped || !v.read() {
			return reached
		}
	}
}

// readOn reads until the connection ends.
func (v *viewer) readOn() { v.readUntil(func() bool { return false }) }

// readAnswers reads until all requests are answered.
func (v *viewer) readAnswers() bool { return v.readUntil(func() bool { return len(v.asked) == 0 }) }

// readEvents reads until n more events of a plan have arrived.
func (v *viewer) readEvents(plan string, n int) bool {
	n += v.state(plan).events
	return v.readUntil(func() bool { return v.followLocked(plan).events >= n })
}

// read reads and checks one message. It reports false if the connection has ended; code then has
// the close code.
func (v *viewer) read() bool {
	if err := v.c.nc.SetDeadline(time.Now().Add(testTimeout)); err != nil && !isCut(err) {
		v.t.Error(err)
	}
	f, err := v.c.read()
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.changed.Broadcast()
	switch {
	case v.stopped:
		return false
	case isCut(err):
		v.code = protocol.CloseAbnormal
		return false
	case err != nil:
		v.failLocked("%v", err)
		return false
	case f.Opcode == opClose:
		v.closeFrameLocked(f)
		return false
	}
	m, err := v.ledger.read(f.Payload)
	if err == nil {
		err = v.handleLocked(m)
	}
	if err != nil {
		v.failLocked("%v in %.300s", err, f.Payload)
	}
	return err == nil
}

// closeFrameLocked handles the close frame, which must be the last frame.
func (v *viewer) closeFrameLocked(f frame) {
	v.code = protocol.CloseNoStatus
	if len(f.Payload) >= 2 {
		v.code = protocol.CloseCode(binary.BigEndian.Uint16(f.Payload))
	}
	v.c.send(opClose, f.Payload) // ignore an error: the server may have closed already
	if f, err := v.c.frame(); err == nil || transporttest.IsViolation(err) {
		v.failLocked("opcode %#x after the close frame (%v)", f.Opcode, err)
	}
	if v.goodbye != v.code && v.code != protocol.CloseNormal {
		v.failLocked("goodbye %d and close frame %d", v.goodbye, v.code)
	}
	_ = v.c.nc.Close()
}
