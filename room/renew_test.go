package room_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// tokens are what the connections of these tests renew with.
func tokens() auth.Verifier {
	return auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
		minute := time.Now().Add(time.Minute).Truncate(time.Second)
		switch token {
		case "alice":
			return auth.Identity{UserID: "alice", ExpiresAt: minute}, nil
		case "alice, for ever":
			return auth.Identity{UserID: "alice"}, nil
		case "alice, past":
			return auth.Identity{UserID: "alice", ExpiresAt: time.Now()}, nil
		case "mallory":
			return auth.Identity{UserID: "mallory", ExpiresAt: minute}, nil
		case "expired":
			return auth.Identity{}, &auth.ExpiredError{At: time.Now()}
		case "outage":
			return auth.Identity{}, errOutage
		case "slow":
			<-ctx.Done()
			return auth.Identity{}, ctx.Err()
		case "panic":
			panic("x")
		}
		return auth.Identity{}, fmt.Errorf("%w: no such token", auth.ErrInvalidToken)
	})
}

func TestAuthorizeAtAuthenticate(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Verifier: tokens()})
		alice.Join("q", nil)
		alice.Join("p", nil)
		bob := roomtest.Join(t, h, "bob", "p")
		unread(t, alice)
		g.set(func(_ context.Context, id auth.Identity, planID string) error {
			if id.ExpiresAt.IsZero() {
				t.Error("Authorize is not given the new identity")
			}
			if planID == "p" {
				return room.ErrForbidden
			}
			return nil
		})
		alice.Send(`{"type":"authenticate","data":{"token":"alice"}}`)
		got := receivedBy(t, alice)
		if len(got) != 2 || got[1] != `removed p {"reason":"access ended","retry":false}` {
			t.Errorf("received %q, want the answer and removed", got)
		}
		wantReceived(t, bob, left("p", "alice", 1))
		update(t, h, "p", 1)
		update(t, h, "q", 2)
		wantReceived(t, alice, `task-updated q {"task":{"id":2}}`)
	})
}

// renewals verifies the tokens "first", "second" … of alice after a second, and puts them into
// the name.
func renewals() auth.Verifier {
	return auth.VerifierFunc(func(ctx context.Context, token string) (auth.Identity, error) {
		pause(ctx, time.Second)
		return auth.Identity{UserID: "alice", Name: token}, nil
	})
}

// A join that was sent after an authenticate is checked with the new identity. The messages of its
// plan stay in order.
func TestAuthenticateComesBeforeLaterJoins(t *testing.T) {
	var mu sync.Mutex
	asked := make(map[string]string) // guarded by mu
	opts := &room.Options{Authorize: func(_ context.Context, id auth.Identity, planID string) error {
		mu.Lock()
		defer mu.Unlock()
		asked[planID] += id.Name + " "
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "first"}, &roomtest.Options{Verifier: renewals()})
		for _, message := range []string{
			`{"type":"join-plan","planId":"before"}`,
			`{"type":"authenticate","data":{"token":"second"}}`,
			`{"type":"join-plan","planId":"after"}`,
			`{"type":"ping"}`,
			`{"type":"leave-plan","planId":"after"}`,
			`{"type":"leave-plan","planId":"before"}`,
			`{"type":"join-plan","planId":5}`,
		} {
			alice.Send(message)
		}
		if got := alice.NextMessage(); got.Type != protocol.TypeJoinPlan || got.PlanID != "before" {
			t.Errorf("got %s, want the answer to the first join", words(got))
		}
		counts := make(map[string]int)
		var ofAfter []string
		for range 6 {
			m := alice.NextMessage()
			counts[fmt.Sprint(m.Type, " ", m.PlanID)]++
			if m.PlanID == "after" {
				ofAfter = append(ofAfter, string(m.Type))
			}
		}
		for _, want := range []string{"authenticate ", "join-plan after", "pong ", "leave-plan after", "leave-plan before", "error "} {
			if counts[want] != 1 {
				t.Errorf("%q came %d times, want once", want, counts[want])
			}
		}
		if fmt.Sprint(ofAfter) != "[join-plan leave-plan]" {
			t.Errorf("answers of the plan: %q", ofAfter)
		}
		mu.Lock()
		defer mu.Unlock()
		if asked["before"] != "first " && asked["before"] != "first second " || asked["after"] != "second " {
			t.Errorf("Authorize was called for %q", asked)
		}
	})
}

// A join in flight during an authenticate is checked again with the new identity.
func TestAuthenticateDuringAJoin(t *testing.T) {
	opts := &room.Options{Authorize: func(ctx context.Context, id auth.Identity, planID string) error {
		if id.Name == "second" {
			return room.ErrForbidden
		}
		pause(ctx, 2*time.Second)
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "first"}, &roomtest.Options{Verifier: renewals()})
		alice.Send(`{"type":"join-plan","planId":"p"}`)
		alice.Send(`{"type":"authenticate","data":{"token":"second"}}`)
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		if got := allMembers(h); got != 0 {
			t.Errorf("%d members, want none: the new identity may not see the plan", got)
		}
	})
}

// A member is checked again, too, if the authenticate arrived during its check or before the end of
// its join.
func TestAuthenticateDuringACheck(t *testing.T) {
	for _, during := range []string{"a recheck", "Observer.Join"} {
		t.Run(during, func(t *testing.T) {
			opts := &room.Options{AuthorizeTimeout: time.Minute, Authorize: func(ctx context.Context, id auth.Identity, _ string) error {
				switch id.Name {
				case "second":
					pause(ctx, 15*time.Second)
				case "third":
					return room.ErrForbidden
				}
				return nil
			}}
			if during == "Observer.Join" {
				opts.Observer.Join = func(room.JoinInfo) { time.Sleep(3 * time.Second) }
			}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				g := newGuest(t, h, "alice", &room.ConnectOptions{Verifier: renewals()})
				g.join("p")
				synctest.Wait()
				if during == "a recheck" {
					g.session.Receive([]byte(`{"type":"authenticate","data":{"token":"second"}}`))
					time.Sleep(11 * time.Second)
				}
				if got := allMembers(h); got != 1 {
					t.Fatalf("%d members, want 1", got)
				}
				g.session.Receive([]byte(`{"type":"authenticate","data":{"token":"third"}}`))
				time.Sleep(9 * time.Second)
				if got := allMembers(h); got != 0 {
					t.Errorf("%d members, want none: the new identity may not see the plan", got)
				}
			})
		})
	}
}

// A verifier that ignores its context keeps at most one goroutine per connection, however often the
// client authenticates.
func TestHangingVerifier(t *testing.T) {
	var release chan struct{}
	var calls atomic.Int32
	v := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
		calls.Add(1)
		<-release
		return auth.Identity{UserID: "alice"}, nil
	})
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		release = make(chan struct{})
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Verifier: v})
		for range 5 {
			alice.Send(`{"type":"authenticate","data":{"token":"t"}}`)
			wantError(t, alice, "", protocol.TypeAuthenticate, protocol.ErrorUnavailable)
			time.Sleep(10 * time.Second)
		}
		if got := calls.Load(); got != 1 {
			t.Errorf("%d calls of the verifier have not returned, want 1", got)
		}
		close(release)
		synctest.Wait()
		alice.Send(`{"type":"authenticate","data":{"token":"t"}}`)
		if got := alice.NextMessage(); got.Type != protocol.TypeAuthenticate {
			t.Errorf("got %s, want the answer", words(got))
		}
	})
}

func TestAuthenticate(t *testing.T) {
	tests := []struct {
		name  string
		token string
		code  protocol.ErrorCode
		lasts time.Duration // from the authenticate on; negative means no expiry
		close protocol.CloseCode
	}{
		{name: "renewed", token: "alice", lasts: time.Minute},
		{name: "renewed for ever", token: "alice, for ever", lasts: -1},
		{name: "another user's", token: "mallory", code: protocol.ErrorBadToken},
		{name: "invalid", token: "?", code: protocol.ErrorBadToken},
		{name: "expired", token: "expired", code: protocol.ErrorBadToken},
		{name: "taken for valid, and past its end", token: "alice, past", code: protocol.ErrorBadToken},
		{name: "an outage", token: "outage", code: protocol.ErrorUnavailable},
		{name: "a slow verifier", token: "slow", code: protocol.ErrorUnavailable},
		{name: "a verifier that panics", token: "panic", code: protocol.ErrorUnavailable, close: protocol.CloseInternal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				end := time.Now().Add(30 * time.Second)
				m := roomtest.Connect(t, h, auth.Identity{UserID: "alice", ExpiresAt: end}, &roomtest.Options{Verifier: tokens()})
				time.Sleep(10 * time.Second)
				m.Send(fmt.Sprintf(`{"type":"authenticate","data":{"token":%q}}`, test.token))
				if test.code != "" {
					wantError(t, m, "", protocol.TypeAuthenticate, test.code)
				} else {
					want := `authenticate  {"success":true,"expiresAt":null}`
					if test.lasts > 0 {
						end = time.Now().Add(test.lasts)
						want = fmt.Sprintf(`authenticate  {"success":true,"expiresAt":%q}`, end.UTC().Format("2006-01-02T15:04:05.000Z"))
					}
					if got := words(m.Next()); got != want {
						t.Errorf("got %s, want %s", got, want)
					}
				}
				if test.close != 0 {
					wantClosed(t, m, test.close)
					return
				}
				if test.lasts < 0 {
					time.Sleep(24 * time.Hour)
					wantConnections(t, h, 1)
					return
				}
				time.Sleep(time.Until(end) - 1)
				wantConnections(t, h, 1)
				time.Sleep(time.Nanosecond)
				wantClosed(t, m, protocol.CloseUnauthorized)
				wantConnections(t, h, 0)
			})
		})
	}
}

// A new token may also shorten the remaining time, and set an expiry where there was none.
func TestAuthenticateShortens(t *testing.T) {
	for _, end := range []time.Duration{0, time.Hour} {
		bubble(t, nil, func(t *testing.T, h *room.Hub) {
			id := auth.Identity{UserID: "alice"}
			if end > 0 {
				id.ExpiresAt = time.Now().Add(end)
			}
			m := roomtest.Connect(t, h, id, &roomtest.Options{Verifier: tokens()})
			m.Send(`{"type":"authenticate","data":{"token":"alice"}}`)
			m.Next()
			time.Sleep(time.Minute - 1)
			wantConnections(t, h, 1)
			time.Sleep(time.Nanosecond)
			wantClosed(t, m, protocol.CloseUnauthorized)
		})
	}
}

// A second authenticate within 10 s is refused, whatever the result of the first.
func TestAuthenticateTooOften(t *testing.T) {
	for _, first := range []string{"alice", "?"} {
		t.Run(first, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Verifier: tokens()})
				authenticate := func(token string) protocol.Message {
					m.Send(fmt.Sprintf(`{"type":"authenticate","data":{"token":%q}}`, token))
					synctest.Wait()
					return m.Next()
				}
				authenticate(first)
				time.Sleep(10*time.Second - 1)
				m.Send(`{"type":"authenticate","data":{"token":"alice"}}`)
				wantError(t, m, "", protocol.TypeAuthenticate, protocol.ErrorRateLimited)
				time.Sleep(time.Nanosecond)
				if got := authenticate("alice"); got.Type != protocol.TypeAuthenticate {
					t.Errorf("10 s after the first: got %s, want it accepted", words(got))
				}
				time.Sleep(time.Second)
				m.Send(`{"type":"authenticate","data":{"token":"alice"}}`)
				wantError(t, m, "", protocol.TypeAuthenticate, protocol.ErrorRateLimited)
			})
		})
	}
}
