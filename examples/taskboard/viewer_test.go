package main

import (
	"net/http"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// viewer is a strict WebSocket client for tests, which acts like a browser.
type viewer struct {
	*transporttest.Client
	t      *testing.T
	planID string
}

// connect connects as a page does, with the token as a subprotocol, and takes the hello.
func (b *board) connect(p *person, client string) *viewer {
	b.t.Helper()
	v, status := b.dial(p.Token, client, b.url)
	if status != http.StatusSwitchingProtocols {
		b.t.Fatalf("handshake: status %d", status)
	}
	v.Want(protocol.TypePong, &v.Hello)
	if v.Hello.ClientID != client || v.Hello.UserID != p.User.ID {
		b.t.Fatalf("hello %+v", v.Hello)
	}
	return v
}

// dial returns the viewer, or nil if the server refuses, and the status of the response.
func (b *board) dial(token, client, origin string) (*viewer, int) {
	b.t.Helper()
	c, resp, err := transporttest.Dial(b.url+"/ws?client="+client, &transporttest.Options{Header: http.Header{
		"Origin":                 {origin},
		"Sec-WebSocket-Protocol": {transporttest.TokenSubprotocols(token)},
	}})
	if err != nil {
		b.t.Fatal(err)
	}
	if c == nil {
		return nil, resp.StatusCode
	}
	return &viewer{Client: transporttest.NewClient(b.t, c), t: b.t}, resp.StatusCode
}

// join connects and joins the plan where its GET has left off.
func (b *board) join(p *person, client string, plan planView) *viewer {
	b.t.Helper()
	v := b.connect(p, client)
	v.join(plan)
	return v
}

func (v *viewer) join(plan planView) {
	v.t.Helper()
	v.planID = plan.ID
	if answer := v.Join(plan.ID, &plan.Position); !answer.Recovered {
		v.t.Fatalf("join since %v: %+v", plan.Position, answer)
	}
}

// next returns the next message, which must have a type in want. It skips presence messages
// unless they are wanted.
func (v *viewer) next(want ...protocol.Type) protocol.Message {
	v.t.Helper()
	return v.Await(want...)
}

// eventAndNotice takes an event of the plan and a notice, which may come in either order, and
// returns the event.
func (v *viewer) eventAndNotice(want protocol.Type, prev uint64, notice protocol.Type) protocol.Message {
	v.t.Helper()
	first, second := v.next(want, notice), v.next(want, notice)
	if first.Type != want {
		first, second = second, first
	}
	if first.Type != want || second.Type != notice || first.Prev != prev || first.PlanID != v.planID {
		v.t.Fatalf("messages %s (after %d) and %s, want %s (after %d) and %s", first.Type, first.Prev, second.Type, want, prev, notice)
	}
	return first
}

// event returns the next message, which is of type want and follows the event with seq prev.
func (v *viewer) event(want protocol.Type, prev uint64) protocol.Message {
	v.t.Helper()
	m := v.next(want)
	if m.Prev != prev || m.Seq <= prev || m.PlanID != v.planID {
		v.t.Fatalf("%s: plan %q, seq %d after %d, want it after %d", m.Type, m.PlanID, m.Seq, m.Prev, prev)
	}
	return m
}

// silent checks that nothing has come but presence: the answer to a ping is next.
func (v *viewer) silent() {
	v.t.Helper()
	v.Request(protocol.Request{Type: protocol.TypePing})
	v.next(protocol.TypePong)
}
