package room_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Which positions a node of a cluster accepts from a client that resumes.

// TestLostPartOfAPlanWithoutARoom has a node miss an event of a plan that it has no room for. A
// client that has not got the event from another node has to load the plan.
func TestLostPartOfAPlanWithoutARoom(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		since, err := nodes[1].Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		nodes[0].engine.HoldTail()
		publish(t, nodes[1].Hub, "p", "lost")
		at := publish(t, nodes[1].Hub, "p", "lost, too")
		synctest.Wait()
		m.Trim(at.Seq + 1)
		nodes[0].engine.ReleaseTail()
		synctest.Wait()
		nodes[0].awaitReady(t)
		alice := nodes[0].connect(t, "alice")
		alice.Join("p", &since)
		if alice.Joined.Recovered {
			t.Error("alice resumes, although the node has missed events of the plan")
		}
	})
}

// TestResumeOfMoreThanTheHistory has a connection that does not read keep more events in the
// history than HistoryEvents: they are for it alone.
func TestResumeOfMoreThanTheHistory(t *testing.T) {
	nodes(t, 1, room.Options{HistoryEvents: 4}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		slow := roomtest.Join(t, nodes[0].Hub, "slow", "p", &roomtest.Options{SocketBuffer: 10})
		slow.Stall()
		var positions []protocol.Position
		for i := range 10 {
			positions = append(positions, publish(t, nodes[0].Hub, "p", fmt.Sprint(i)))
			synctest.Wait()
		}
		alice := nodes[0].connect(t, "alice")
		for i, since := range positions {
			alice.Join("p", &since)
			if want := i >= 5; alice.Joined.Recovered != want {
				t.Errorf("recovered %v with %d events since, want %v", !want, 9-i, want)
			}
		}
		slow.Unstall()
		for i := range 10 {
			wantTitle(t, slow, fmt.Sprint(i))
		}
	})
}

// TestResumeFromTheEndOfTheLog resumes a quiet plan from a position that is after its last event:
// operators see the position that the client has named.
func TestResumeFromTheEndOfTheLog(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		first := publish(t, nodes[0].Hub, "p", "one")
		since := publish(t, nodes[0].Hub, "other", "elsewhere")
		synctest.Wait()
		alice := nodes[0].connect(t, "alice")
		alice.Join("p", &since)
		synctest.Wait()
		got, err := nodes[0].Explain("p", "alice", first.Seq)
		if err != nil || len(got.Connections) != 1 {
			t.Fatalf("Explain = %+v, %v", got, err)
		}
		if c := got.Connections[0]; !c.Recovered || c.JoinedSeq != since.Seq || c.Outcome != room.OutcomeJoinedLater {
			t.Errorf("%+v, want that the client resumed from %d", c, since.Seq)
		}
		publish(t, nodes[0].Hub, "p", "two")
		wantTitle(t, alice, "two")
	})
}

// TestLossFreesTheHistory drops the history of a plan in a loss of the log: it does not count for
// HistoryTotal any more.
func TestLossFreesTheHistory(t *testing.T) {
	nodes(t, 1, room.Options{HistoryTotal: 64 << 10}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		large := strings.Repeat("x", 1000)
		publish(t, nodes[0].Hub, "q", "one")
		for range 40 {
			publish(t, nodes[0].Hub, "p", large)
		}
		synctest.Wait()
		m.LoseTail(1)
		time.Sleep(5 * time.Second)
		nodes[0].awaitReady(t)
		for range 40 {
			publish(t, nodes[0].Hub, "r", large)
		}
		synctest.Wait()
		if _, ok := nodes[0].Room("q"); !ok {
			t.Error("a plan was evicted, although the history of another one was dropped")
		}
	})
}
