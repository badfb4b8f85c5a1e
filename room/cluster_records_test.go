package room_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestExclusionsOnAnotherNode excludes two users from an event: on another node, too, they get a
// receipt with its version.
func TestExclusionsOnAnotherNode(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[1].Hub, "ann", "p")
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		shared()
		presenceNotices(t, ann)
		presenceNotices(t, bob)
		publish(t, nodes[0].Hub, "p", "one", room.By("eve"), room.ExceptUser("ann"), room.ExceptUser("bob"), room.Version("task", 7))
		for _, m := range []*roomtest.Member{ann, bob} {
			if msg := m.NextMessage(); msg.Type != protocol.TypeReceipt || msg.Version.N != 7 {
				t.Errorf("got %+v, want a receipt with version 7", msg)
			}
		}
	})
}

// TestBroadcastOfACallerWhoIsGone publishes with a context that has ended: what the event describes
// has happened.
func TestBroadcastOfACallerWhoIsGone(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := nodes[0].BroadcastTaskUpdated(ctx, "p", map[string]string{"title": "one"}); err != nil {
			t.Errorf("Broadcast: %v", err)
		}
		wantTitle(t, alice, "one")
	})
}

// TestNodeThatHasShutDownIsNotWaitedFor revokes access just after a node has ended.
func TestNodeThatHasShutDownIsNotWaitedFor(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		if err := nodes[1].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil || time.Since(start) > 0 {
			t.Errorf("Revoke: %v after %v, want nil at once", err, time.Since(start))
		}
	})
}

// TestBrokenRecords stores records that cannot be read: the clients load their plans, and access is
// checked.
func TestBrokenRecords(t *testing.T) {
	var deny atomic.Bool
	o := room.Options{Authorize: func(_ context.Context, id auth.Identity, _ string) error {
		if deny.Load() && id.UserID == "bob" {
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		bob := roomtest.Join(t, nodes[0].Hub, "bob", "q")
		cat := roomtest.Join(t, nodes[0].Hub, "cat", "r")
		synctest.Wait()
		quiet, err := nodes[0].Position(t.Context(), "quiet")
		if err != nil {
			t.Fatal(err)
		}
		m.Store(record.Append(nil, record.Header{Cluster: record.ClusterHash("test"), Kind: record.KindEvent, Plan: "p"}, []byte{255}))
		alice.WantEvent(protocol.TypeResync, nil)
		synctest.Wait()
		cat.Silent()

		deny.Store(true)
		m.Store(brokenOfAnyPlan)
		for _, member := range []*roomtest.Member{alice, cat} {
			member.WantEvent(protocol.TypeResync, nil)
		}
		for {
			if msg := bob.NextMessage(); msg.Type == protocol.TypeRemoved {
				break
			}
		}
		dan := nodes[0].connect(t, "dan")
		dan.Join("quiet", &quiet)
		if dan.Joined.Recovered {
			t.Error("a position before a record that cannot be read is accepted")
		}
	})
}

// TestEventsOfPlansWithoutMembers resumes a plan that had no member on the node for most of
// HistoryAge, and another one whose last member has left: clients may come from other nodes.
func TestEventsOfPlansWithoutMembers(t *testing.T) {
	o := room.Options{HistoryAge: 30 * time.Minute, IdleTimeout: 3 * time.Minute}
	nodes(t, 1, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "left")
		since := publish(t, nodes[0].Hub, "other", "before")
		synctest.Wait()
		publish(t, nodes[0].Hub, "unjoined", "one")
		publish(t, nodes[0].Hub, "left", "one")
		synctest.Wait()
		alice.Leave("left")
		time.Sleep(20 * time.Minute)
		bob := nodes[0].connect(t, "bob")
		for _, plan := range []string{"unjoined", "left"} {
			bob.Join(plan, &since)
			if !bob.Joined.Recovered {
				t.Errorf("the event of plan %s is not held any more", plan)
			}
		}
	})
}

// TestReplayedEventsKeepTheirAge starts a node when an event is old: it holds the event no longer
// than other nodes do.
func TestReplayedEventsKeepTheirAge(t *testing.T) {
	o := room.Options{HistoryAge: 30 * time.Minute}
	nodes(t, 1, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		since, err := nodes[0].Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		publish(t, nodes[0].Hub, "p", "one")
		time.Sleep(20 * time.Minute)
		next := startNode(t, m, "node-2", o)
		next.awaitReady(t)
		alice := roomtest.Join(t, next.Hub, "alice", "p") // keeps the room
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if info, ok := next.Room("p"); !ok || info.Events != 0 {
			t.Errorf("%d events are held after 40 minutes", info.Events)
		}
		bob := next.connect(t, "bob")
		bob.Join("p", &since)
		if bob.Joined.Recovered {
			t.Error("an event of before 40 minutes is held")
		}
		_ = alice
	})
}

// TestNoReceiptWithoutANewPosition shuts a node down whose client has the end of the log.
func TestNoReceiptWithoutANewPosition(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		publish(t, nodes[0].Hub, "p", "one")
		wantTitle(t, alice, "one")
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if msg := alice.NextMessage(); msg.Type != protocol.TypeGoodbye {
			t.Errorf("got %+v, want goodbye", msg)
		}
	})
}

// skippingEngine skips one record of Tail.
type skippingEngine struct {
	room.Engine
	skip   atomic.Bool
	always atomic.Bool // it skips the first record of each call of Tail
}

func (e *skippingEngine) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	skipped := false
	return e.Engine.Tail(ctx, after, func(records []room.Record) {
		if e.skip.CompareAndSwap(true, false) || e.always.Load() && !skipped {
			records, skipped = records[1:], true
		}
		apply(records)
	})
}

// TestEngineThatSkipsARecord has an engine deliver a record too early: the node reads the log
// again.
func TestEngineThatSkipsARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, enginetest.NewMemory(nil), "node", room.Options{})
		e := &skippingEngine{Engine: n.engine}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		alice := roomtest.Join(t, n.Hub, "alice", "p")
		synctest.Wait()
		e.skip.Store(true)
		publish(t, n.Hub, "p", "one")
		publish(t, n.Hub, "p", "two")
		wantTitle(t, alice, "one")
		wantTitle(t, alice, "two")
	})
}

// TestEngineWithSmallRecords starts a node whose engine cannot store the largest event.
func TestEngineWithSmallRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := startNode(t, enginetest.NewMemory(&enginetest.MemoryOptions{MaxRecord: 64 << 10}), "node", room.Options{MaxPayload: 64 << 10})
		time.Sleep(time.Minute)
		if err := n.Ready(); err == nil {
			t.Error("ready, although events of MaxPayload cannot be stored")
		}
		if _, err := n.BroadcastTaskDeleted(t.Context(), "p", "1"); !errors.Is(err, room.ErrNotReady) {
			t.Errorf("Broadcast = %v, want ErrNotReady", err)
		}
	})
}

// TestLimitOfRecordsThatIsLowered lowers the limit of the engine while a node uses it. The node is
// not ready, since it cannot store the largest events, but goes on with others.
func TestLimitOfRecordsThatIsLowered(t *testing.T) {
	nodes(t, 1, room.Options{MaxPayload: 64 << 10}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[0].Hub, "alice", "p")
		m.SetMaxRecord(64 << 10)
		time.Sleep(20 * time.Second)
		if err := nodes[0].Ready(); !errors.Is(err, room.ErrNotReady) || !strings.Contains(err.Error(), "65536") || !strings.Contains(err.Error(), "69632") {
			t.Errorf("Ready = %v, want an error with the limit and the size that the hub needs", err)
		}
		publish(t, nodes[0].Hub, "p", "small")
		wantTitle(t, alice, "small")
		m.SetMaxRecord(1 << 20)
		time.Sleep(2 * time.Second)
		if err := nodes[0].Ready(); err != nil {
			t.Errorf("with a higher limit: %v", err)
		}
	})
}

// TestEngineThatSkipsForEver has an engine skip a record whenever the node reads the log again. The
// node logs that from time to time only.
func TestEngineThatSkipsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &notebook{}
		n := newNode(t, enginetest.NewMemory(nil), "node", room.Options{Logger: log.logger()})
		e := &skippingEngine{Engine: n.engine}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		e.always.Store(true)
		publish(t, n.Hub, "p", "one")
		publish(t, n.Hub, "p", "two")
		time.Sleep(time.Minute)
		if got := log.lines("level=ERROR", "out of order"); len(got) < 2 || len(got) > 7 {
			t.Errorf("%d lines in a minute, want one for each 10 s", len(got))
		}
	})
}
