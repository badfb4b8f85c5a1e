package room_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// An Authorize that ends its goroutine, as FailNow of a test does, frees its slot. The hub handles
// it like a panic: it refuses the join and closes the connection.
func TestGoexitInAuthorize(t *testing.T) {
	var g authorizer
	bubble(t, &room.Options{AuthorizeParallel: 1, Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		g.set(func(context.Context, auth.Identity, string) error {
			runtime.Goexit()
			return nil
		})
		for range 20 { // more than may be overdue
			alice := connect(t, h, "alice", "")
			start := time.Now()
			alice.Send(`{"type":"join-plan","planId":"p"}`)
			wantError(t, alice, "p", protocol.TypeJoinPlan, protocol.ErrorUnavailable)
			wantClosed(t, alice, protocol.CloseInternal)
			if got := time.Since(start); got != 0 {
				t.Errorf("refused after %v, want at once", got)
			}
		}
		if got := h.Stats(); got.AuthorizeRunning != 0 || got.AuthorizeOverdue != 0 || got.Denied != 20 {
			t.Errorf("%d calls run, %d are overdue, %d denied; want 0, 0 and 20", got.AuthorizeRunning, got.AuthorizeOverdue, got.Denied)
		}
		g.answer(nil)
		roomtest.Join(t, h, "bob", "p")
	})
}

// The same holds for the goroutine of a recheck, and after AuthorizeTimeout.
func TestGoexitInARecheck(t *testing.T) {
	for name, takes := range map[string]time.Duration{"at once": 0, "too late": 6 * time.Second} {
		t.Run(name, func(t *testing.T) {
			var g authorizer
			opts := &room.Options{AuthorizeParallel: 1, PingEvery: -1, Authorize: g.authorize}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				alice := roomtest.Join(t, h, "alice", "p")
				g.set(func(context.Context, auth.Identity, string) error {
					time.Sleep(takes)
					runtime.Goexit()
					return nil
				})
				time.Sleep(5 * time.Minute)
				g.answer(nil)
				time.Sleep(takes)
				synctest.Wait()
				if got := h.Stats(); got.AuthorizeRunning != 0 || got.AuthorizeOverdue != 0 || got.RechecksUndecided == 0 {
					t.Errorf("%d calls run, %d are overdue, %d rechecks undecided; want 0, 0 and at least 1",
						got.AuthorizeRunning, got.AuthorizeOverdue, got.RechecksUndecided)
				}
				if takes == 0 {
					wantClosed(t, alice, protocol.CloseInternal)
				}
				roomtest.Join(t, h, "bob", "p")
			})
		})
	}
}

// A verifier, a function of the Observer or a Logger that ends its goroutine ends only its
// connection, as a panic does.
func TestGoexitInOtherCallbacks(t *testing.T) {
	exits := func(context.Context, string) (auth.Identity, error) {
		runtime.Goexit()
		return auth.Identity{}, nil
	}
	for name, opts := range map[string]room.Options{
		"verifier":      {},
		"Observer.Join": {Observer: room.Observer{Join: func(room.JoinInfo) { runtime.Goexit() }}},
		"Logger": {
			Authorize: func(context.Context, auth.Identity, string) error { return errors.New("the database is away") },
			Logger:    slog.New(exitingHandler{}),
		},
		"Observer.Denied": {Authorize: func(context.Context, auth.Identity, string) error { return room.ErrForbidden }, Observer: room.Observer{Denied: func(room.DenialInfo) { runtime.Goexit() }}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, &opts, func(t *testing.T, h *room.Hub) {
				alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Verifier: auth.VerifierFunc(exits)})
				if name == "verifier" {
					alice.Send(`{"type":"authenticate","data":{"token":"t"}}`)
					wantError(t, alice, "", protocol.TypeAuthenticate, protocol.ErrorUnavailable)
				} else {
					alice.Send(`{"type":"join-plan","planId":"p"}`)
				}
				wantClosed(t, alice, protocol.CloseInternal)
			})
		})
	}
}

// exitingHandler ends the goroutine that logs.
type exitingHandler struct{ slog.Handler }

func (exitingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (exitingHandler) Handle(context.Context, slog.Record) error {
	runtime.Goexit()
	return nil
}

// A connection is forgotten even if Observer.Disconnect ends its goroutine.
func TestGoexitInDisconnect(t *testing.T) {
	opts := &room.Options{Observer: room.Observer{Disconnect: func(room.DisconnectInfo) { runtime.Goexit() }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, nil).Cut()
		synctest.Wait()
		if n := room.Closing(h, "alice"); n != 0 {
			t.Errorf("the hub still counts %d connections", n)
		}
	})
}

// A connection in two plans ends completely even if a function of the Observer ends its goroutine.
func TestGoexitInLeave(t *testing.T) {
	opts := &room.Options{Observer: room.Observer{Leave: func(room.LeaveInfo) { runtime.Goexit() }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		alice.Join("q", nil)
		var closed sync.WaitGroup
		closed.Go(func() { alice.Session().Close(protocol.CloseForbidden) })
		closed.Wait()
		wantClosed(t, alice, protocol.CloseForbidden)
		<-alice.Session().Done()
		for _, plan := range []string{"p", "q"} {
			if got, _ := h.Room(plan); got.Connections != 0 {
				t.Errorf("%d connections in %s, want none", got.Connections, plan)
			}
		}
	})
}

// A function of the Observer that ends its goroutine after a check does not prevent the removal of
// other members.
func TestGoexitInRechecked(t *testing.T) {
	const members = 40 // more than the goroutines that remove
	var g authorizer
	opts := &room.Options{
		PingEvery: -1, Authorize: g.authorize,
		Observer: room.Observer{Rechecked: func(room.RecheckInfo) { runtime.Goexit() }},
	}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		for n := range members {
			roomtest.Join(t, h, fmt.Sprint(n), "p")
		}
		g.answer(errors.New("the database is away"))
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		if got, _ := h.Room("p"); got.Connections != 0 {
			t.Errorf("%d members whose access was not confirmed are left", got.Connections)
		}
	})
}

// A connection whose Observer.Connect ends its goroutine is closed, as after a panic.
func TestGoexitInConnect(t *testing.T) {
	opts := &room.Options{Observer: room.Observer{Connect: func(room.ConnectionInfo) { runtime.Goexit() }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		sink := roomtest.NewSink(nil)
		var connecting sync.WaitGroup
		connecting.Go(func() {
			if err := sink.Connect(h, auth.Identity{UserID: "alice"}, nil); err != nil {
				t.Error(err)
			}
		})
		connecting.Wait()
		synctest.Wait()
		if got := sink.State(); !got.Over || got.Code != protocol.CloseInternal {
			t.Errorf("the connection is %+v, want it closed with %d", got, protocol.CloseInternal)
		}
		if n := h.UserConnections("alice") + room.Closing(h, "alice"); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}
