package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// sessions verifies tokens of the form user/session.
var sessions = auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
	user, session, _ := strings.Cut(token, "/")
	return auth.Identity{UserID: user, Name: user, SessionID: session}, nil
})

// grants is the database of a host: who may view which plan. Keys have the form user/plan.
type grants struct {
	mu      sync.Mutex // guards the following
	revoked map[string]bool
}

func (g *grants) authorize(_ context.Context, id auth.Identity, planID string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.revoked[id.UserID+"/"+planID] || g.revoked[id.SessionID] {
		return room.ErrForbidden
	}
	return nil
}

func (g *grants) revoke(keys ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, key := range keys {
		if g.revoked == nil {
			g.revoked = make(map[string]bool)
		}
		g.revoked[key] = true
	}
}

// nextOf reads until a message that is not a presence notice, and returns its type and plan.
func (c *client) nextOf() string {
	c.t.Helper()
	for {
		m := c.next()
		if m.Type != protocol.TypeJoinPlan && m.Type != protocol.TypeLeavePlan {
			return string(m.Type) + " " + m.PlanID
		}
	}
}

// wantNext compares what nextOf returns.
func wantNext(c *client, want ...string) {
	c.t.Helper()
	for _, w := range want {
		if got := c.nextOf(); got != w {
			c.t.Errorf("got %q, want %q", got, w)
		}
	}
}

// TestLogOutOnOneDevice disconnects one of two sessions of a user.
func TestLogOutOnOneDevice(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}, verifier: sessions})
		phone, laptop := dialWith(t, s.Server, handshake{token: "ann/phone"}), dialWith(t, s.Server, handshake{token: "ann/laptop"})
		phone.join("p")
		laptop.join("p")
		if n, err := s.hub.Disconnect(t.Context(), "ann", room.OnlySession("phone")); n != 1 || err != nil {
			t.Errorf("Disconnect = %d, %v, want 1", n, err)
		}
		publish(t, s, "p")
		code := protocol.CloseForbidden
		if diff := cmp.Diff(ending{code, code.Reason(), code}, phone.end()); diff != "" {
			t.Errorf("the phone ended (-want +got):\n%s", diff)
		}
		wantNext(laptop, "task-updated p")
	})
}

func publish(t *testing.T, s *server, plans ...string) {
	t.Helper()
	for _, plan := range plans {
		if _, err := s.hub.BroadcastTaskUpdated(t.Context(), plan, struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDeletedShareLink removes the guests of a link, whom the host cannot name.
func TestDeletedShareLink(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := &grants{}
		s := newServer(t, config{kinds: []kind{k}, verifier: sessions, hub: room.Options{Authorize: g.authorize}})
		ann := dialWith(t, s.Server, handshake{token: "ann/phone"})
		ann.join("p")
		var guests []*client
		for _, user := range []string{"guest1", "guest2"} {
			c := dialWith(t, s.Server, handshake{token: user + "/link"})
			c.join("p")
			guests = append(guests, c)
		}
		g.revoke("link")
		got, err := s.hub.Recheck(t.Context(), "p")
		if want := (room.Rechecked{Kept: 1, Removed: 2}); got != want || err != nil {
			t.Errorf("Recheck = %+v, %v, want %+v", got, err, want)
		}
		publish(t, s, "p")
		wantNext(ann, "task-updated p")
		for _, c := range guests {
			wantNext(c, "removed p")
			c.text(`{"type":"ping"}`)
			wantNext(c, "pong ") // and no event before it
		}
	})
}

// TestGroupChange removes a user who has left a group from its plans.
func TestGroupChange(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		g := &grants{}
		s := newServer(t, config{kinds: []kind{k}, verifier: sessions, hub: room.Options{Authorize: g.authorize}})
		ann, bob := dialWith(t, s.Server, handshake{token: "ann/"}), dialWith(t, s.Server, handshake{token: "bob/"})
		for _, plan := range []string{"group", "own"} {
			ann.join(plan)
			bob.join(plan)
		}
		g.revoke("ann/group")
		got, err := s.hub.RecheckUser(t.Context(), "ann")
		if want := (room.Rechecked{Kept: 1, Removed: 1}); got != want || err != nil {
			t.Errorf("RecheckUser = %+v, %v, want %+v", got, err, want)
		}
		publish(t, s, "group")
		wantNext(bob, "task-updated group")
		publish(t, s, "own")
		wantNext(ann, "removed group", "task-updated own")
		wantNext(bob, "task-updated own")
	})
}

// TestDeletedPlan closes a plan. No client can resume it.
func TestDeletedPlan(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind) {
		s := newServer(t, config{kinds: []kind{k}, verifier: sessions})
		ann, bob := dialWith(t, s.Server, handshake{token: "ann/"}), dialWith(t, s.Server, handshake{token: "bob/"})
		position := ann.join("p").Position
		bob.join("p")
		if n, err := s.hub.ClosePlan(t.Context(), "p"); n != 2 || err != nil {
			t.Errorf("ClosePlan = %d, %v, want 2", n, err)
		}
		publish(t, s, "p")
		for _, c := range []*client{ann, bob} {
			wantNext(c, "removed p")
			c.text(`{"type":"ping"}`)
			wantNext(c, "pong ")
		}
		b, err := protocol.EncodeRequest(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "p", Since: &position})
		if err != nil {
			t.Fatal(err)
		}
		ann.send(opText, b)
		if answer := decodeData[protocol.JoinAnswer](t, ann.next()); answer.Recovered || answer.Position.Seq <= position.Seq {
			t.Errorf("joined %+v since %v, want no recovery", answer, position)
		}
	})
}

// TestConnectDuringDisconnect disconnects a user while a connection of the user is being verified.
func TestConnectDuringDisconnect(t *testing.T) {
	const forgotten = 1<<14 + 1 // one more than the hub remembers
	all := func(opts ...room.DisconnectOption) func(*testing.T, *room.Hub) {
		return func(t *testing.T, h *room.Hub) {
			if _, err := h.Disconnect(t.Context(), "ann", opts...); err != nil {
				t.Error(err)
			}
		}
	}
	cases := []struct {
		name       string
		disconnect func(*testing.T, *room.Hub)
		status     int // 101: accepted
		code       protocol.CloseCode
		reason     room.RefusalReason
	}{
		{"the user", all(), 403, protocol.CloseForbidden, room.RefusedDisconnected},
		{"the user, to sign in again", all(room.SignInAgain()), 401, protocol.CloseUnauthorized, room.RefusedDisconnected},
		{"the session", all(room.OnlySession("phone")), 403, protocol.CloseForbidden, room.RefusedDisconnected},
		{"another session", all(room.OnlySession("laptop")), 101, 0, ""},
		{"many others", func(t *testing.T, h *room.Hub) {
			for n := range forgotten {
				if _, err := h.Disconnect(t.Context(), fmt.Sprint("user", n)); err != nil {
					t.Error(err)
				}
			}
		}, 503, protocol.CloseInternal, room.RefusedUnavailable},
	}
	for _, c := range cases {
		for _, browser := range []bool{false, true} {
			name := c.name
			if browser {
				name += ", in a browser"
			}
			t.Run(name, func(t *testing.T) {
				verifying, verified := make(chan struct{}), make(chan struct{})
				reports := make(chan room.RefusalInfo, 1)
				s := newServer(t, config{
					options: transport.Options{Authenticate: func(*http.Request) (auth.Identity, error) {
						id := auth.Identity{UserID: "ann", SessionID: "phone"} // as it was in the database
						close(verifying)
						<-verified
						return id, nil
					}},
					hub: room.Options{Observer: room.Observer{Refused: func(r room.RefusalInfo) { reports <- r }}},
				})
				h := handshake{}
				if browser {
					h.headers = http.Header{"Origin": {s.URL}}
				}
				var conn *client
				var resp *http.Response
				done := make(chan error, 1)
				go func() {
					var err error
					conn, resp, err = tryOpen(t, s.Server, h)
					done <- err
				}()
				receive(t, verifying)
				c.disconnect(t, s.hub)
				close(verified)
				if err := receive(t, done); err != nil {
					t.Fatal(err)
				}
				if c.status == 101 {
					if resp.StatusCode != 101 || conn.next().Type != protocol.TypePong {
						t.Errorf("status %d, want a connection", resp.StatusCode)
					}
					return
				}
				select { // a refusal is reported before it is answered
				case r := <-reports:
					if r.Reason != c.reason || r.Status != c.status || r.UserID != "ann" {
						t.Errorf("reported %+v", r)
					}
				default:
					t.Fatalf("status %d without a report of a refusal", resp.StatusCode)
				}
				if !browser {
					if resp.StatusCode != c.status {
						t.Errorf("status %d, want %d", resp.StatusCode, c.status)
					}
					return
				}
				if diff := cmp.Diff(ending{c.code, c.code.Reason(), c.code}, conn.end()); diff != "" {
					t.Errorf("the connection ended (-want +got):\n%s", diff)
				}
			})
		}
	}
}
