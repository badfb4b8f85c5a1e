package transport_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// viewer is one page of a user in the load, over as many connections as it takes. It judges every message by what it has heard, what it
// has asked for, and the ledger. One goroutine, its reader, connects and reads; others may ask and await.
type viewer struct {
	// Fixed at creation.
	page
	t         testing.TB
	fail      func() // ends the load, which may take a while
	server    *server
	kind      kind
	ledger    *ledger
	plans     []string
	buffer    int  // receive buffer of its socket
	revocable int  // which of the users whose access is taken away; -1 if none
	restless  bool // asks to join again and again

	mu       sync.Mutex // guards the following
	changed  *sync.Cond // anything of it
	c        *client    // set by the reader alone
	greeted  bool
	asked    []request          // not known to be dealt with, in order
	messages int                // sent on this connection
	goodbye  protocol.CloseCode // of this connection
	code     protocol.CloseCode // how this connection ended; 0 while it has not
	over     bool               // it will not come back
	lifted   int                // how many revocations of its user have been taken back
	follows  map[string]*following
	skips    []skip
}

// following is what a viewer knows of one plan.
type following struct {
	in       bool
	pos      protocol.Position
	admitted int // viewer.lifted when the join was sent
	count    int
	people   map[string]bool // nil once only the count is told

	events, resyncs, recovered int
}

// request is a join or a leave, and the ping behind it: they are dealt with in order, so a pong tells that it has been.
type request struct {
	protocol.Request
	admitted int
}

// follow returns what is known of a plan. It is called under mu.
func (v *viewer) follow(plan string) *following {
	f := v.follows[plan]
	if f == nil {
		f = &following{}
		v.follows[plan] = f
	}
	return f
}

// knows returns what is known of a plan.
func (v *viewer) knows(plan string) following {
	v.mu.Lock()
	defer v.mu.Unlock()
	return *v.follow(plan)
}

// failLocked ends the viewer with a fault.
func (v *viewer) failLocked(format string, args ...any) {
	if !v.over {
		v.t.Errorf("%s/%s: "+format, append([]any{v.user, v.client}, args...)...)
		v.overLocked()
		v.fail()
	}
}

func (v *viewer) overLocked() {
	v.over = true
	if v.c != nil {
		_ = v.c.nc.Close()
	}
	v.changed.Broadcast()
}

// quit ends the viewer for good.
func (v *viewer) quit() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.overLocked()
}

// await waits until done, asked under mu. It reports false if the viewer was over before that, or fails it if it takes too long.
func (v *viewer) await(what string, done func() bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	waiting := true
	defer func() { waiting = false }()
	if !done() && !v.over {
		late := time.AfterFunc(testTimeout, func() {
			v.mu.Lock()
			defer v.mu.Unlock()
			if waiting {
				v.failLocked("still waiting for %s", what)
			}
		})
		defer late.Stop()
	}
	for !done() && !v.over {
		v.changed.Wait()
	}
	return done()
}

// awaitPosition waits until the viewer is that far in a plan.
func (v *viewer) awaitPosition(plan string, seq uint64) bool {
	return v.await("events", func() bool { return v.follow(plan).pos.Seq >= seq })
}

// open makes a connection, on which nothing has been read.
func (v *viewer) open() (*client, error) {
	c, resp, err := tryOpen(v.t, v.server.of[v.kind], handshake{
		query: "?client=" + url.QueryEscape(v.client), token: tokenOf(v.user), buffer: v.buffer,
	})
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	return c, err
}

// use goes on with a new connection, which is in no plan.
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

// enter asks to join its plans where it was, if it has been there, and reads until all is answered.
func (v *viewer) enter() bool {
	for _, plan := range v.plans {
		v.ask(protocol.TypeJoinPlan, plan)
	}
	return v.readAnswers()
}

// connect is open, use and enter.
func (v *viewer) connect() bool { return v.use(v.open()) && v.enter() }

// ask sends a request about a plan, a join with the position at which the viewer is. Behind it goes a
// presence without a state, which is answered with an error: then the request has been dealt with.
func (v *viewer) ask(t protocol.Type, plan string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.askLocked(t, plan)
}

func (v *viewer) askLocked(t protocol.Type, plan string) {
	q := request{protocol.Request{Type: t, PlanID: plan}, v.lifted}
	if f := v.follow(plan); t == protocol.TypeJoinPlan && f.pos.Epoch != "" {
		since := f.pos
		q.Since = &since
	}
	b, err := protocol.EncodeRequest(q.Request)
	if err != nil {
		v.failLocked("%v", err)
		return
	}
	v.asked = append(v.asked, q)
	v.messages += 2
	behind := fmt.Appendf(nil, `{"type":"update-presence","planId":%q}`, plan)
	v.c.write(append(clientFrame(fin|opText, b), clientFrame(fin|opText, behind)...))
}

// readUntil reads until done, asked under mu. It reports false if the connection ended before that.
func (v *viewer) readUntil(done func() bool) bool {
	for {
		v.mu.Lock()
		stop, over := done(), v.over
		v.mu.Unlock()
		if stop || over || !v.read() {
			return stop
		}
	}
}

// readOn reads until the connection is over.
func (v *viewer) readOn() { v.readUntil(func() bool { return false }) }

// readAnswers reads until all is answered.
func (v *viewer) readAnswers() bool { return v.readUntil(func() bool { return len(v.asked) == 0 }) }

// readEvents reads until so many more events of a plan have come.
func (v *viewer) readEvents(plan string, n int) bool {
	n += v.knows(plan).events
	return v.readUntil(func() bool { return v.follow(plan).events >= n })
}

// read takes in one message. It reports false if the connection is over, and code says how.
func (v *viewer) read() bool {
	if err := v.c.nc.SetDeadline(time.Now().Add(testTimeout)); err != nil && !isCut(err) {
		v.t.Error(err)
	}
	f, err := v.c.read()
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.changed.Broadcast()
	switch {
	case v.over:
		return false
	case isCut(err):
		v.code = protocol.CloseAbnormal
		return false
	case err != nil:
		v.failLocked("%v", err)
		return false
	case f.opcode == opClose:
		v.endLocked(f)
		return false
	}
	m, err := v.ledger.read(f.payload)
	if err == nil {
		err = v.hear(m)
	}
	if err != nil {
		v.failLocked("%v in %.300s", err, f.payload)
	}
	return err == nil
}

// endLocked takes in the close frame, which nothing may follow.
func (v *viewer) endLocked(f frame) {
	v.code = protocol.CloseNoStatus
	if len(f.payload) >= 2 {
		v.code = protocol.CloseCode(binary.BigEndian.Uint16(f.payload))
	}
	v.c.send(opClose, f.payload) // the peer of our own close frame has no more use for it
	if f, err := v.c.frame(); err == nil || strings.Contains(err.Error(), "after the close frame") {
		v.failLocked("opcode %#x after the close frame (%v)", f.opcode, err)
	}
	if v.goodbye != v.code && v.code != protocol.CloseNormal {
		v.failLocked("goodbye %d and close frame %d", v.goodbye, v.code)
	}
	_ = v.c.nc.Close()
}
