package room_test

import (
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

// Why a user did not receive an event: each answer of Explain.

func explain(t *testing.T, h *room.Hub, userID string, seq uint64) room.Explanation {
	t.Helper()
	x, err := h.Explain("p", userID, seq)
	if err != nil {
		t.Fatalf("Explain: %v", err)
	}
	return x
}

// wantOutcomes compares the outcomes of an event for a user, the newest membership first, and
// returns the explanation.
func wantOutcomes(t *testing.T, h *room.Hub, userID string, seq uint64, want ...room.Outcome) room.Explanation {
	t.Helper()
	synctest.Wait()
	x := explain(t, h, userID, seq)
	var got []room.Outcome
	for _, c := range x.Connections {
		got = append(got, c.Outcome)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%s, event %d: %v, want %v (%+v)", userID, seq, got, want, x)
	}
	return x
}

// last is the seq of the plan's newest event.
func last(t *testing.T, h *room.Hub) uint64 {
	t.Helper()
	return position(t, h, "p").Seq
}

func TestExplainWhatKindOfEvent(t *testing.T) {
	bubble(t, &room.Options{HistoryEvents: 2}, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		want := func(seq uint64, state room.EventState, rows int) {
			t.Helper()
			x := explain(t, h, "alice", seq)
			if x.Event != state || len(x.Connections) != rows || x.At.IsZero() != (state != room.EventHeld) || x.End.Seq != last(t, h) || !x.Complete {
				t.Errorf("event %d: %+v, want %s and %d connections", seq, x, state, rows)
			}
		}
		update(t, h, "p", 1) // 1
		update(t, h, "q", 1) // 2
		update(t, h, "p", 2) // 3
		want(1, room.EventHeld, 1)
		want(2, room.EventNone, 0)
		want(4, room.EventAhead, 0)
		update(t, h, "p", 3) // 4
		alice.Next()
		alice.Next()
		alice.Next()
		synctest.Wait()
		update(t, h, "p", 4) // 5
		alice.Next()
		want(1, room.EventGone, 1)
		if x, _ := h.Explain("none", "alice", 1); x.Event != room.EventAhead {
			t.Errorf("plan without a room: %+v", x)
		}
		if _, err := h.Explain("", "alice", 1); !errors.Is(err, room.ErrPlanID) {
			t.Errorf("empty plan: %v", err)
		}
		if _, err := h.Explain("p", "", 1); !errors.Is(err, room.ErrUserID) {
			t.Errorf("empty user: %v", err)
		}
	})
}

func TestExplainMembersThatKeepUp(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		connect(t, h, "alice", "outside")
		wantOutcomes(t, h, "bob", 1)
		update(t, h, "p", 1)
		first := last(t, h)
		wantOutcomes(t, h, "alice", first, room.OutcomeNotJoined)
		time.Sleep(time.Minute)

		bob := roomtest.Join(t, h, "bob", "p")
		joined := time.Now()
		update(t, h, "p", 2, room.ExceptClient("bob", bob.Session().ClientID()))
		update(t, h, "p", 3)
		x := wantOutcomes(t, h, "bob", first, room.OutcomeJoinedLater)
		if c := x.Connections[0]; !c.JoinedAt.Equal(joined) || c.JoinedSeq != first || c.Recovered || !c.Open || !x.At.Equal(joined.Add(-time.Minute)) {
			t.Errorf("%+v", x)
		}
		x = wantOutcomes(t, h, "bob", first+1, room.OutcomeExcluded)
		if !x.Connections[0].Receipt {
			t.Errorf("no receipt: %+v", x)
		}
		wantOutcomes(t, h, "bob", first+2, room.OutcomeWritten)

		// A client that resumes receives the events after its position, and no others.
		carol := connect(t, h, "carol", "")
		carol.Join("p", &protocol.Position{Epoch: x.End.Epoch, Seq: first})
		x = wantOutcomes(t, h, "carol", first, room.OutcomeJoinedLater)
		if !x.Connections[0].Recovered {
			t.Errorf("not recovered: %+v", x)
		}
		wantOutcomes(t, h, "carol", first+1, room.OutcomeWritten)

		// Each membership of a connection that joins again has its own answer.
		carol.Join("p", nil)
		x = wantOutcomes(t, h, "carol", first+1, room.OutcomeJoinedLater, room.OutcomeWritten)
		if c := x.Connections[1]; c.LeaveReason != "" || c.LeftAt.IsZero() || c.ConnectionID != x.Connections[0].ConnectionID {
			t.Errorf("%+v", c)
		}
	})
}

func TestExplainMembersThatLeft(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1)
		alice.Next()
		synctest.Wait() // the write has returned
		alice.Leave("p")
		update(t, h, "p", 2)
		wantOutcomes(t, h, "alice", 1, room.OutcomeWritten)
		c := wantOutcomes(t, h, "alice", 2, room.OutcomeLeft).Connections[0]
		if c.LeaveReason != room.LeaveRequested || c.LeftSeq != 1 || !c.LeftAt.Equal(time.Now()) || !c.Open {
			t.Errorf("left: %+v", c)
		}
		alice.Join("p", nil)
		if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
			t.Fatal(err)
		}
		update(t, h, "p", 3)
		x := wantOutcomes(t, h, "alice", 3, room.OutcomeLeft, room.OutcomeLeft)
		if r := x.Connections[0].LeaveReason; r != room.LeaveRevoked {
			t.Errorf("reason %q", r)
		}

		bob := roomtest.Join(t, h, "bob", "p")
		bob.Cut()
		synctest.Wait()
		update(t, h, "p", 4)
		c = wantOutcomes(t, h, "bob", 4, room.OutcomeLeft).Connections[0]
		if c.LeaveReason != room.LeaveClosed || c.CloseCode != protocol.CloseAbnormal || c.Open {
			t.Errorf("cut: %+v", c)
		}
	})
}

// The record of ended memberships is bounded. If it does not reach back to an event, Complete is
// false.
func TestExplainForgets(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1)
		alice.Next()
		synctest.Wait() // the write has returned
		alice.Leave("p")
		left := time.Now()
		update(t, h, "p", 2)
		roomtest.Join(t, h, "watcher", "p")
		time.Sleep(time.Second)
		for range 4095 {
			visit(t, h, "other")
		}
		if x := wantOutcomes(t, h, "alice", 1, room.OutcomeWritten); !x.Complete || !x.RecordSince.IsZero() {
			t.Errorf("before: %+v", x)
		}
		visit(t, h, "other")
		// The connection of alice is open, and no membership of it is known any more.
		if x := wantOutcomes(t, h, "alice", 1, room.OutcomeNotJoined); x.Complete || !x.RecordSince.Equal(left) {
			t.Errorf("event 1: %+v, want an incomplete answer", x)
		}
		// The forgotten memberships had ended before the event.
		if x := wantOutcomes(t, h, "alice", 2, room.OutcomeNotJoined); !x.Complete {
			t.Errorf("event 2: %+v, want a complete answer", x)
		}
	})
}

func TestExplainAfterShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, nil)
		roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, nil).Join("p", nil)
		update(t, h, "p", 1)
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := wantOutcomes(t, h, "alice", 1, room.OutcomeWritten).Connections[0]
		if c.CloseCode != protocol.CloseShutdown || c.Open {
			t.Errorf("%+v", c)
		}
		if n := h.Stats().Closed[protocol.CloseShutdown]; n != 1 {
			t.Errorf("%d closed with 4503", n)
		}
	})
}
