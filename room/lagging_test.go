package room_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Members that do not read for a while: which messages wait for them.

// mostNotices is how many may wait for a member: 1024, and three for each user of PresenceLimit.
const mostNotices = 1024 + 3*100

// At each moment some member is lagging, but none for long.
func TestMembersThatLagInTurns(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		stalled, other := stalledPipe(t, h, "alice"), openPipe(t, h, "bob", -1)
		other.send(`{"type":"join-plan","planId":"p"}`)
		gathered()
		for n := range mostNotices {
			visit(t, h, fmt.Sprint("user", n))
			if n%50 == 0 {
				gathered()
				other.open(0)
				update(t, h, "p", n)
				gathered()
				stalled.open(-1)
				stalled.read()
				stalled, other = other, stalled
			}
		}
		gathered()
		if got := h.Stats().TooSlow; got != 0 {
			t.Errorf("closed %d members, though each has read in time", got)
		}
	})
}

// Too many notices close the member that has read the least, and no other.
func TestTheSlowestOfTwoIsClosed(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		stalledPipe(t, h, "alice") // the slowest
		slow := openPipe(t, h, "bob", -1)
		slow.send(`{"type":"join-plan","planId":"p"}`)
		for n := range mostNotices + 10 {
			visit(t, h, fmt.Sprint("user", n))
			if n == mostNotices/2 {
				gathered()
				slow.open(0)
				update(t, h, "p", n)
				synctest.Wait() // it lags from now on
			}
		}
		gathered()
		if got := h.Stats().TooSlow; got != 1 {
			t.Errorf("closed %d members", got)
		}
		wantOpen(t, h, slow)
	})
}

// After a lagging member has left, no notice is kept for it.
func TestMemberThatLeftRetainsNoNotices(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		roomtest.Join(t, h, "other", "p")
		p := stalledPipe(t, h, "alice")
		update(t, h, "p", 1)
		synctest.Wait()
		p.send(`{"type":"leave-plan","planId":"p"}`)
		gathered()
		p.open(-1)
		p.read()
		for n := range mostNotices + 10 {
			visit(t, h, fmt.Sprint("user", n))
		}
		gathered()
		wantOpen(t, h, p)
	})
}

// A member that caught up during a write to another one, and is busy with another write when the
// pump returns to it, has no notice kept for it.
func TestBusyMemberRetainsNoNotices(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := openPipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		other, writing := openStopped(t, h, "bob")
		other.join("p")
		gathered()
		p.open(10)
		writing.armed = true
		update(t, h, "p", 1)
		<-writing.reached
		p.open(-1)
		p.read()
		p.open(0)
		p.send(pingMessage)
		synctest.Wait()
		close(writing.release)
		synctest.Wait()
		p.open(-1)
		p.read()
		for n := range mostNotices + 10 {
			visit(t, h, fmt.Sprint("user", n))
		}
		gathered()
		wantOpen(t, h, p)
	})
}

// For a user who joined and left, a member that lagged receives only the leave.
func TestLeaveReplacesTheState(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		update(t, h, "p", 1)
		synctest.Wait() // it is being written
		bob := roomtest.Join(t, h, "bob", "p")
		bob.SetPresence("p", "typing")
		gathered()
		bob.Leave("p")
		gathered()
		p.open(-1)
		if got := kinds(t, p.read()); got != "task-updated leave-plan" {
			t.Errorf("wrote %s", got)
		}
	})
}

// Joins at the same time cause one write for each member.
func TestJoinsAreBatched(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k := openHooked(t, h, "alice", roomtest.Lines{}, all)
		k.join("p")
		gathered()
		k.read()
		before := k.calls
		for n := range 20 {
			roomtest.Join(t, h, fmt.Sprint("user", n), "p")
		}
		gathered()
		if got := strings.Count(k.read(), `"join-plan"`); got != 20 {
			t.Errorf("wrote %d of 20 joins", got)
		}
		if got := k.calls - before; got != 1 {
			t.Errorf("%d writes", got)
		}
	})
}

// A stalled client that repeats its joins has one answer in its queue.
func TestRepeatedJoinsDoNotFillTheQueue(t *testing.T) {
	bubble(t, &room.Options{QueuePerConnection: 2048}, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		update(t, h, "p", 1)
		synctest.Wait() // it is being written
		for range 60 {
			p.send(`{"type":"join-plan","planId":"p"}`)
		}
		gathered()
		if n, err := h.Notify(t.Context(), "alice", protocol.TaskUpdated(task(1))); n != 1 || err != nil {
			t.Errorf("Notify = %d, %v", n, err)
		}
	})
}

// An answer to a join counts in the queue as soon as it is encoded.
func TestEncodedAnswerCounts(t *testing.T) {
	bubble(t, &room.Options{QueuePerConnection: 2048}, func(t *testing.T, h *room.Hub) {
		for n := range 60 {
			roomtest.Join(t, h, fmt.Sprint("user", n, strings.Repeat("x", 40)), "p")
		}
		p := openPipe(t, h, "alice", -1)
		p.read()
		p.open(0)
		p.send(`{"type":"join-plan","planId":"p"}`) // its answer is being written
		gathered()
		if n, err := h.Notify(t.Context(), "alice", protocol.TaskUpdated(task(1))); n != 0 || err != nil {
			t.Errorf("Notify = %d, %v; the answer alone exceeds the bound", n, err)
		}
		p.open(-1)
		p.read()
		if n, err := h.Notify(t.Context(), "alice", protocol.TaskUpdated(task(1))); n != 1 || err != nil {
			t.Errorf("Notify = %d, %v; the queue is empty", n, err)
		}
	})
}

// If two connections wait because of QueuePerUser, one continues when the other has read.
func TestWaitForAnotherConnection(t *testing.T) {
	bubble(t, &room.Options{QueuePerConnection: 20_000, QueuePerUser: 20_000}, func(t *testing.T, h *room.Hub) {
		full, waiting := stalledPipe(t, h, "alice"), stalledPipe(t, h, "alice")
		if n, err := h.Notify(t.Context(), "alice", protocol.TaskUpdated(jsonOf(500))); n != 2 || err != nil {
			t.Fatalf("Notify = %d, %v", n, err)
		}
		for range 120 {
			full.send(`{"type":"leave-plan","planId":"` + strings.Repeat("x", 120) + `"}`)
		}
		gathered()
		waiting.send(`{"type":"join-plan","planId":"q"}`)
		gathered()
		if _, ok := h.Room("q"); ok {
			t.Fatal("the second connection does not wait")
		}
		full.open(-1)
		full.read()
		if _, ok := h.Room("q"); !ok {
			t.Error("the second connection waits, although the first has read")
		}
	})
}

// A token expiry takes effect even if a renewal moves it before a deadline that was set earlier.
func TestAuthenticateBeforeAPing(t *testing.T) {
	bubble(t, &room.Options{PingEvery: 2 * time.Minute}, func(t *testing.T, h *room.Hub) {
		for n := range 20 {
			connect(t, h, fmt.Sprint("user", n), "").Send(pingMessage)
		}
		id := auth.Identity{UserID: "alice", ExpiresAt: time.Now().Add(time.Hour)}
		m := roomtest.Connect(t, h, id, &roomtest.Options{Verifier: tokens()})
		m.Send(pingMessage)
		time.Sleep(45 * time.Second)                               // after the timer for its first message, which sets the next
		m.Send(`{"type":"authenticate","data":{"token":"alice"}}`) // ends in a minute
		m.Next()
		m.Next()
		time.Sleep(time.Minute)
		begin := time.Now()
		wantClosed(t, m, protocol.CloseUnauthorized)
		if late := time.Since(begin); late != 0 {
			t.Errorf("the connection was closed %v after its token expired, want at once", late)
		}
	})
}

func TestBudgetEvictsTheLeastRecentlyUsed(t *testing.T) {
	bubble(t, &room.Options{HistoryTotal: 12_000}, func(t *testing.T, h *room.Hub) {
		fill := func(plan string) {
			t.Helper()
			if _, err := h.BroadcastTaskUpdated(t.Context(), plan, jsonOf(2000)); err != nil {
				t.Fatal(err)
			}
		}
		update(t, h, "first", 1)
		first := position(t, h, "first")
		fill("first")
		update(t, h, "second", 1)
		second := position(t, h, "second")
		fill("second")
		update(t, h, "first", 2) // used again
		fill("third")
		if got := h.Stats().Rooms; got != 3 {
			t.Fatalf("%d rooms before the budget is used up", got)
		}
		fill("fourth")
		if got := h.Stats().Rooms; got != 3 {
			t.Errorf("%d rooms, want one evicted", got)
		}
		if !recovers(t, h, "first", first) || recovers(t, h, "second", second) {
			t.Error("the room that was used again was evicted")
		}
	})
}
