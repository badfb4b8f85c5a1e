package room_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

const pingMessage = `{"type":"ping"}`

// burst sends n pings at once and reads their answers.
func burst(t *testing.T, m *roomtest.Member, n int) {
	t.Helper()
	for range n {
		m.Send(pingMessage)
		if got := m.NextMessage(); got.Type != protocol.TypePong {
			t.Fatalf("got %s, want a pong", words(got))
		}
	}
}

func wantRateClose(t *testing.T, m *roomtest.Member) {
	t.Helper()
	if g := wantClosed(t, m, protocol.CloseRateLimited); g.RetryAfterMs < 10_000 || g.RetryAfterMs > 15_000 {
		t.Errorf("retryAfterMs = %d, want 10,000 to 15,000", g.RetryAfterMs)
	}
}

func TestMessageRate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		burst(t, m, 128)
		m.Send(`{"type":"join-plan","planId":"p"}`)
		wantError(t, m, "p", protocol.TypeJoinPlan, protocol.ErrorRateLimited)
		time.Sleep(time.Second)
		burst(t, m, 10)
		m.Send(`{"type":`)
		wantError(t, m, "", "", protocol.ErrorRateLimited)
		if _, ok := h.Room("p"); ok {
			t.Error("a refused join made a room")
		}
		m.Send(pingMessage)
		wantRateClose(t, m)
	})
}

// Three excesses in 10 s close the connection. Two do not, nor does a third when the first is
// older.
func TestExcesses(t *testing.T) {
	for _, test := range []struct {
		wait   time.Duration
		closed bool
	}{{10 * time.Second, true}, {10*time.Second + 1, false}} {
		t.Run(test.wait.String(), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := connect(t, h, "alice", "")
				burst(t, m, 128)
				for range 2 {
					m.Send(pingMessage)
					wantError(t, m, "", protocol.TypePing, protocol.ErrorRateLimited)
				}
				time.Sleep(test.wait)
				burst(t, m, 100)
				m.Send(pingMessage)
				if test.closed {
					wantRateClose(t, m)
					return
				}
				wantError(t, m, "", protocol.TypePing, protocol.ErrorRateLimited)
				time.Sleep(time.Second)
				burst(t, m, 10)
			})
		})
	}
}

// A message that is answered with an error takes a token like every other, and is not an excess.
func TestErrorsAreNotExcesses(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		for n := range 600 {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
			wantError(t, m, "p", protocol.TypeLeavePlan, protocol.ErrorNotJoined)
			if n > 120 {
				time.Sleep(100 * time.Millisecond)
			}
		}
	})
}

// Control frames have a separate bucket. An excess of either counts.
func TestControlRate(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		control := func(n int) {
			for range n {
				m.Session().ControlFrame()
			}
		}
		control(20)
		time.Sleep(time.Second)
		control(10)
		burst(t, m, 100)
		wantNow(t, m)
		control(2) // two excesses, unanswered
		wantNow(t, m)
		burst(t, m, 26)
		m.Send(pingMessage)
		wantRateClose(t, m)
	})
}

// A connection has at most 128 messages that have not been handled.
func TestInbox(t *testing.T) {
	opts := &room.Options{Authorize: func(ctx context.Context, _ auth.Identity, _ string) error {
		pause(ctx, 4*time.Second)
		return nil
	}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		m.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		for range 127 {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
		}
		time.Sleep(time.Second)
		m.Send(`{"type":"leave-plan","planId":"p"}`)
		wantError(t, m, "p", protocol.TypeLeavePlan, protocol.ErrorRateLimited)
		if got := m.NextMessage(); got.Type != protocol.TypeJoinPlan {
			t.Errorf("got %s, want the join answer", words(got))
		}
		if got := m.NextMessage(); got.Type != protocol.TypeLeavePlan {
			t.Errorf("got %s, want the leave answer", words(got))
		}
		for range 126 {
			wantError(t, m, "p", protocol.TypeLeavePlan, protocol.ErrorNotJoined)
		}
		burst(t, m, 1) // there is space again
	})
}

// A message over the rate is not decoded, except for the answers before the third closes the
// connection.
func TestMessagesOverTheRateAreNotDecoded(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "mallory", "")
		burst(t, m, 128)
		large := []byte(`{"type":"update-presence","planId":"p","x":[` + strings.Repeat(`{"y":"z"},`, 3000) + `1],"data":{"state":1}}`)
		for range 2 {
			m.Session().Receive(large)
			wantError(t, m, "p", protocol.TypeUpdatePresence, protocol.ErrorRateLimited)
		}
		m.Session().Receive(large)
		wantRateClose(t, m)
		if n := testing.AllocsPerRun(100, func() { m.Session().Receive(large) }); n > 0 {
			t.Errorf("%v allocations for a refused message", n)
		}
		time.Sleep(time.Minute)
		if n := testing.AllocsPerRun(100, func() { m.Session().Receive(large) }); n > 0 {
			t.Errorf("%v allocations for a refused message below the rate", n)
		}
	})
}
