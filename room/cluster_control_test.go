package room_test

import (
	"context"
	"errors"
	"fmt"
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

// TestCountsOfAcks has a node acknowledge a Revoke twice, and a record of another epoch with the same
// seq: each node counts once.
func TestCountsOfAcks(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		epoch := nodes[0].epochOf(t)
		one, two := newBareNode(t, m, "one", epoch), newBareNode(t, m, "two", epoch)
		type result struct {
			removed int
			err     error
		}
		done := make(chan result, 1)
		go func() { // ends below
			removed, err := nodes[0].Revoke(t.Context(), "p", "alice")
			done <- result{removed, err}
		}()
		synctest.Wait()
		info, _ := nodes[0].Cluster()
		ack := func(s *bareNode, epoch string, removed uint32) {
			a := record.Ack{Epoch: epoch, Seq: m.Window().Last, Counts: [4]uint32{removed}}
			msg := record.AppendMessage(nil, record.ClusterHash("test"), record.MessageAck, a.Append(nil))
			if err := s.engine.Send(t.Context(), info.Node, msg); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		ack(one, "another", 100)
		ack(one, epoch, 1)
		ack(one, epoch, 1)
		ack(two, epoch, 2)
		if got := <-done; got.err != nil || got.removed != 3 {
			t.Errorf("Revoke = %d, %v, want 3", got.removed, got.err)
		}
	})
}

// TestRecheckOfASlowAuthorize calls Recheck while the checks of another node take a minute in all:
// a node has four times AuthorizeTimeout.
func TestRecheckOfASlowAuthorize(t *testing.T) {
	var takes atomic.Int64
	o := room.Options{
		AuthorizeTimeout: 25 * time.Second, AuthorizeParallel: 1,
		Authorize: func(context.Context, auth.Identity, string) error {
			time.Sleep(time.Duration(takes.Load()))
			return nil
		},
	}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		for _, user := range []string{"alice", "bob", "carol"} {
			roomtest.Join(t, nodes[1].Hub, user, "p")
		}
		takes.Store(int64(20 * time.Second))
		if got, err := nodes[0].Recheck(t.Context(), "p"); err != nil || got.Kept != 3 {
			t.Errorf("Recheck = %+v, %v, want three members that are kept", got, err)
		}
	})
}

// TestRecheckWaitsForTheWorkOfThisNode calls Recheck while Authorize takes long.
func TestRecheckWaitsForTheWorkOfThisNode(t *testing.T) {
	var slow atomic.Bool
	o := room.Options{Authorize: func(context.Context, auth.Identity, string) error {
		if slow.Load() {
			time.Sleep(time.Second)
		}
		return nil
	}}
	nodes(t, 1, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		roomtest.Join(t, nodes[0].Hub, "alice", "p")
		slow.Store(true)
		if got, err := nodes[0].Recheck(t.Context(), "p"); err != nil || got.Kept != 1 {
			t.Errorf("Recheck = %+v, %v, want one member that is kept", got, err)
		}
	})
}

// TestAcksBeforeTheOwnTail has the other node acknowledge a record that this node has not applied
// yet: its call does not wait for the next beat.
func TestAcksBeforeTheOwnTail(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		start, done := time.Now(), make(chan error)
		go func() {
			_, err := nodes[0].Revoke(t.Context(), "p", "alice")
			done <- err
		}()
		synctest.Wait()
		nodes[0].engine.ReleaseTail()
		if err := <-done; err != nil || time.Since(start) > 0 {
			t.Errorf("Revoke: %v after %v, want nil at once", err, time.Since(start))
		}
	})
}

// TestErrorOfRevokeCountsAllNodes ends the context of a call before its node has applied the
// record: which nodes have to apply it is not known before, so the error counts all.
func TestErrorOfRevokeCountsAllNodes(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := nodes[0].Revoke(ctx, "p", "alice")
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "3 nodes") {
			t.Errorf("Revoke: %v, want an error that counts 3 nodes", err)
		}
	})
}

// TestNoteBeforeTheWorkIsDone has another node check access for long. Its notes say that it has
// applied the record, but not that it has done the work, so Recheck waits.
func TestNoteBeforeTheWorkIsDone(t *testing.T) {
	ask, answer := new(atomic.Bool), new(chan struct{})
	o := room.Options{AuthorizeTimeout: time.Minute, Authorize: func(context.Context, auth.Identity, string) error {
		if ask.Load() {
			<-*answer
			return room.ErrForbidden
		}
		return nil
	}}
	nodes(t, 2, o, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		*answer = make(chan struct{})
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		ask.Store(true)
		m.DropMessages(func(string, string, []byte) bool { return true }) // acks, too: the notes have to do
		done := make(chan error, 1)
		go func() { // ends below
			_, err := nodes[0].Recheck(t.Context(), "p")
			done <- err
		}()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		select {
		case err := <-done:
			close(*answer)
			t.Fatalf("Recheck has returned before access was checked on the other node: %v", err)
		default:
		}
		close(*answer)
		if err := <-done; err != nil {
			t.Errorf("Recheck: %v", err)
		}
		alice.WantEvent(protocol.TypeRemoved, nil)
	})
}

// TestRevokeWhoseRecordIsTrimmed trims the record of a call of Revoke before the node that calls it
// has applied it: the call appends it again.
func TestRevokeWhoseRecordIsTrimmed(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		done := make(chan error, 1)
		go func() { // ends below
			_, err := nodes[0].Revoke(t.Context(), "p", "alice")
			done <- err
		}()
		synctest.Wait()
		m.Trim(m.Window().Last + 1)
		nodes[0].engine.ReleaseTail()
		if err := <-done; err != nil {
			t.Errorf("Revoke: %v", err)
		}
	})
}

// TestRevokeWithATrimmedNodeRecord trims the record of a node before the node that calls Revoke has
// read it. That node is cut off, but still has a tenure. A third one names the epoch again.
func TestRevokeWithATrimmedNodeRecord(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		synctest.Wait()
		nodes[0].engine.HoldTail()
		other := startNode(t, m, "other", room.Options{})
		other.awaitReady(t)
		other.engine.Cut()
		m.Trim(m.Window().Last + 1)
		nodes[0].engine.ReleaseTail()
		time.Sleep(3 * time.Second)
		if info, _ := other.Cluster(); !info.Open {
			t.Fatal("the other node has no tenure")
		}
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil {
			t.Errorf("Revoke: %v", err)
		}
		if info, _ := other.Cluster(); info.Open {
			t.Error("Revoke has returned while a node without its record may write")
		}
	})
}

// TestShutdownWhoseRecordIsNotStored loses the record that a node has shut down: its last note says
// it, too.
func TestShutdownWhoseRecordIsNotStored(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		nodes[1].engine.Stall()
		if err := nodes[1].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil || time.Since(start) > time.Second {
			t.Errorf("Revoke: %v after %v, want nil after the next beat", err, time.Since(start))
		}
	})
}

// lossyEngine stores records, and loses the answers while lose is set.
type lossyEngine struct {
	room.Engine
	lose atomic.Bool
}

func (e *lossyEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	seq, err := e.Engine.Append(ctx, id, data)
	if err == nil && e.lose.Load() {
		<-ctx.Done()
		return 0, room.ErrUncertain
	}
	return seq, err
}

// TestWaitsOfUncertainCalls revokes access with an engine whose answers are lost. The node applies
// the records, and keeps nothing of the calls, which have returned.
func TestWaitsOfUncertainCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, enginetest.NewMemory(nil), "node", room.Options{})
		e := &lossyEngine{Engine: n.engine}
		n.opts.Engine = e
		n.start(t)
		n.awaitReady(t)
		e.lose.Store(true)
		for i := range 10 {
			if _, err := n.Revoke(t.Context(), "p", fmt.Sprint("user-", i)); !errors.Is(err, room.ErrUncertain) {
				t.Fatalf("Revoke = %v, want ErrUncertain", err)
			}
		}
		e.lose.Store(false)
		if got := room.Waits(n.Hub); got > 0 {
			t.Errorf("%d calls that have returned are kept", got)
		}
	})
}
