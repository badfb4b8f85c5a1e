package room_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// signedIn connects alice in a session and joins plan p.
func signedIn(t *testing.T, h *room.Hub, session string, v auth.Verifier) *roomtest.Member {
	t.Helper()
	m := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "alice", SessionID: session}, &roomtest.Options{Verifier: v})
	m.Join("p", nil)
	return m
}

// Logging out on one device leaves the others alone.
func TestDisconnectOnlySession(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		phone1, phone2 := signedIn(t, h, "phone", nil), signedIn(t, h, "phone", nil)
		laptop, none := signedIn(t, h, "laptop", nil), signedIn(t, h, "", nil)
		bob := roomtest.Join(t, h, "bob", "p")
		unread(t, bob)
		if n, err := h.Disconnect(t.Context(), "alice", room.OnlySession("phone")); n != 2 || err != nil {
			t.Errorf("Disconnect = %d, %v, want 2", n, err)
		}
		wantClosed(t, phone1, protocol.CloseForbidden)
		wantClosed(t, phone2, protocol.CloseForbidden)
		update(t, h, "p", 1)
		wantEvent(t, laptop, 1)
		wantEvent(t, none, 1)
		wantReceived(t, bob, `task-updated p {"task":{"id":1}}`) // alice has not left

		for _, opts := range [][]room.DisconnectOption{
			{room.OnlySession("")},
			{room.OnlySession("laptop"), room.OnlySession("")},
			{room.SignInAgain(), room.OnlySession("")},
		} {
			if n, err := h.Disconnect(t.Context(), "alice", opts...); n != 0 || !errors.Is(err, room.ErrSessionID) {
				t.Errorf("Disconnect of no session = %d, %v, want ErrSessionID", n, err)
			}
		}
		if n, err := h.Disconnect(t.Context(), "alice", room.OnlySession("laptop"), room.OnlySession("phone")); n != 0 || err == nil {
			t.Errorf("Disconnect of two sessions = %d, %v, want an error", n, err)
		}
		if n, err := h.Disconnect(t.Context(), "bob", room.OnlySession("laptop")); n != 0 || err != nil {
			t.Errorf("Disconnect of a session of another user = %d, %v, want 0", n, err)
		}
		if got := h.UserConnections("alice"); got != 2 {
			t.Errorf("%d connections are left, want 2", got)
		}
	})
}

// A reload of another session continues while one session is disconnected.
func TestDisconnectOnlySessionDuringALinger(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		laptop := signedIn(t, h, "laptop", nil)
		bob := roomtest.Join(t, h, "bob", "p")
		unread(t, bob)
		laptop.Cut()
		synctest.Wait()
		if _, err := h.Disconnect(t.Context(), "alice", room.OnlySession("phone")); err != nil {
			t.Fatal(err)
		}
		signedIn(t, h, "laptop", nil)
		wantReceived(t, bob)
	})
}

// SignInAgain closes with 4401, which asks the client for a new token.
func TestDisconnectSignInAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		phone, laptop := signedIn(t, h, "phone", nil), signedIn(t, h, "laptop", nil)
		if n, err := h.Disconnect(t.Context(), "alice", room.OnlySession("phone"), room.SignInAgain()); n != 1 || err != nil {
			t.Errorf("Disconnect = %d, %v, want 1", n, err)
		}
		wantClosed(t, phone, protocol.CloseUnauthorized)
		if n, err := h.Disconnect(t.Context(), "alice", room.SignInAgain()); n != 1 || err != nil {
			t.Errorf("Disconnect = %d, %v, want 1", n, err)
		}
		wantClosed(t, laptop, protocol.CloseUnauthorized)
	})
}

// A connection whose verification began before Disconnect is refused. One that began after it, of
// another session or of another user is not.
func TestDisconnectDuringAVerification(t *testing.T) {
	only, again := room.OnlySession("phone"), room.SignInAgain()
	tests := []struct {
		name    string
		calls   [][]room.DisconnectOption
		user    string
		session string
		want    error
	}{
		{"all, with a session", [][]room.DisconnectOption{{}}, "alice", "phone", room.ErrDisconnected},
		{"all, without a session", [][]room.DisconnectOption{{}}, "alice", "", room.ErrDisconnected},
		{"all, another user", [][]room.DisconnectOption{{}}, "bob", "phone", nil},
		{"all, to sign in again", [][]room.DisconnectOption{{again}}, "alice", "phone", room.ErrSignInAgain},
		{"the session", [][]room.DisconnectOption{{only}}, "alice", "phone", room.ErrDisconnected},
		{"the session, to sign in again", [][]room.DisconnectOption{{again, only}}, "alice", "phone", room.ErrSignInAgain},
		{"another session", [][]room.DisconnectOption{{only}}, "alice", "laptop", nil},
		{"no session", [][]room.DisconnectOption{{only}}, "alice", "", nil},
		{"the session of another user", [][]room.DisconnectOption{{only}}, "bob", "phone", nil},
		{"several", [][]room.DisconnectOption{{only}, {room.OnlySession("laptop")}, {only, again}}, "alice", "laptop", room.ErrDisconnected},
		{"the last option applies", [][]room.DisconnectOption{{only}, {only, again}}, "alice", "phone", room.ErrSignInAgain},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				connect := func(v room.Verification) error {
					k := roomtest.NewSink(nil)
					return k.Connect(h, auth.Identity{UserID: test.user, SessionID: test.session}, &room.ConnectOptions{Verification: v})
				}
				before := h.BeginVerification()
				for _, opts := range test.calls {
					if _, err := h.Disconnect(t.Context(), "alice", opts...); err != nil {
						t.Fatal(err)
					}
				}
				if err := connect(before); !errors.Is(err, test.want) {
					t.Errorf("Connect = %v, want %v", err, test.want)
				}
				if err := connect(h.BeginVerification()); err != nil {
					t.Errorf("Connect with a verification that began after it = %v", err)
				}
				if err := connect(room.Verification{}); err != nil {
					t.Errorf("Connect without a Verification = %v", err)
				}
			})
		})
	}
}

// The hub forgets calls of Disconnect. It then refuses a verification that may have begun before a
// forgotten call.
func TestDisconnectIsForgotten(t *testing.T) {
	disconnect := func(t *testing.T, h *room.Hub, user string) {
		t.Helper()
		if _, err := h.Disconnect(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	connect := func(h *room.Hub, user string, v room.Verification) error {
		return roomtest.NewSink(nil).Connect(h, auth.Identity{UserID: user}, &room.ConnectOptions{Verification: v})
	}
	for name, forget := range map[string]func(t *testing.T, h *room.Hub){
		"a minute": func(t *testing.T, h *room.Hub) {
			time.Sleep(time.Minute + time.Nanosecond)
			disconnect(t, h, "somebody")
		},
		"a minute, and the janitor": func(*testing.T, *room.Hub) { time.Sleep(6 * time.Minute) },
		"many calls": func(t *testing.T, h *room.Hub) {
			for n := range room.MaxDisconnects - 1 { // with carol, as many as the hub remembers
				disconnect(t, h, fmt.Sprint("user", n))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, &room.Options{PingEvery: -1}, func(t *testing.T, h *room.Hub) {
				roomtest.Join(t, h, "bob", "p") // the janitor runs
				before := h.BeginVerification()
				disconnect(t, h, "alice")
				after := h.BeginVerification()
				for range 3 {
					disconnect(t, h, "carol") // takes one place
				}
				if got := room.Disconnects(h); got != 2 {
					t.Errorf("the hub remembers %d calls, want 2", got)
				}
				forget(t, h)
				if got := room.Disconnects(h); got > room.MaxDisconnects {
					t.Errorf("the hub remembers %d calls", got)
				}
				for _, user := range []string{"alice", "bob"} {
					if err := connect(h, user, before); !errors.Is(err, room.ErrVerification) {
						t.Errorf("Connect of %s = %v, want ErrVerification", user, err)
					}
				}
				if err := connect(h, "alice", h.BeginVerification()); err != nil {
					t.Errorf("a new verification: %v", err)
				}
				if name == "many calls" { // those of carol are remembered
					if err := connect(h, "alice", after); err != nil {
						t.Errorf("a verification that began after all that is forgotten: %v", err)
					}
				}
			})
		})
	}
}

// A renewal must be of the session that the connection began with.
func TestAuthenticateOfAnotherSession(t *testing.T) {
	v := auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
		if token == "none" {
			token = ""
		}
		return auth.Identity{UserID: "alice", SessionID: token}, nil
	})
	for _, test := range []struct {
		session, token string
		ok             bool
	}{
		{"phone", "phone", true},
		{"phone", "laptop", false},
		{"phone", "none", false},
		{"", "none", true},
		{"", "phone", false},
	} {
		t.Run(fmt.Sprintf("%q then %q", test.session, test.token), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := signedIn(t, h, test.session, v)
				m.Request(protocol.Request{Type: protocol.TypeAuthenticate, Token: test.token})
				if test.ok {
					wantReceived(t, m, `authenticate  {"success":true,"expiresAt":null}`)
				} else {
					wantError(t, m, "", protocol.TypeAuthenticate, protocol.ErrorBadToken)
				}
				if got := m.Session().Identity().SessionID; got != test.session {
					t.Errorf("the session is %q, want %q", got, test.session)
				}
			})
		})
	}
}

// A connection with an authenticate or join in flight is closed like any other, and neither request
// is answered with success.
func TestDisconnectDuringARequest(t *testing.T) {
	slow := auth.VerifierFunc(func(ctx context.Context, _ string) (auth.Identity, error) {
		pause(ctx, time.Second)
		return auth.Identity{UserID: "alice", SessionID: "phone"}, nil
	})
	for _, request := range []protocol.Request{
		{Type: protocol.TypeAuthenticate, Token: "x"}, {Type: protocol.TypeJoinPlan, PlanID: "q"},
	} {
		t.Run(string(request.Type), func(t *testing.T) {
			g := &authorizer{}
			bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
				m := signedIn(t, h, "phone", slow)
				g.set(takes(time.Second))
				m.Request(request)
				synctest.Wait()
				if n, err := h.Disconnect(t.Context(), "alice", room.OnlySession("phone")); n != 1 || err != nil {
					t.Errorf("Disconnect = %d, %v, want 1", n, err)
				}
				time.Sleep(2 * time.Second)
				wantClosed(t, m, protocol.CloseForbidden)
				if got := allMembers(h); got != 0 {
					t.Errorf("%d members, want none", got)
				}
			})
		})
	}
}
