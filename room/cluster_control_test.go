package room_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

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
