package room_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A call that waits for the lock of one room delays no other room and no connect. If it does, this
// test does not end.
func TestBusyRoomDelaysNoOther(t *testing.T) {
	h := newHub(t, nil)
	roomtest.Join(t, h, "alice", "busy")
	roomtest.Join(t, h, "bob", "other")
	unlock := room.LockRoom(h, "busy")
	var waiting sync.WaitGroup
	for range 20 {
		waiting.Go(func() { update(t, h, "busy", 1) })
		waiting.Go(func() { _, _ = h.Position(t.Context(), "busy") })
		waiting.Go(func() { h.Room("busy") })
		waiting.Go(func() { h.Rooms() })
		waiting.Go(func() { _ = h.Resync(t.Context(), "busy") })
	}
	for n := range 200 {
		m := roomtest.Join(t, h, fmt.Sprint("user", n), "other")
		update(t, h, "other", n)
		m.Next()
		m.Cut()
	}
	unlock()
	waiting.Wait()
}

type countingLock struct {
	sync.Mutex
	locked int
}

func (l *countingLock) Lock() {
	l.Mutex.Lock()
	l.locked++
}

// The janitor and Rooms walk over all rooms and release the lock in between.
func TestWalkReleasesTheLock(t *testing.T) {
	m := map[int]int{}
	for n := range 10 * room.WalkStep {
		m[n] = n
	}
	var lock countingLock
	got := room.Collect(&lock, maps.Values(m))
	if len(got) != len(m) || lock.locked < 10 {
		t.Errorf("%d of %d elements, the lock was taken %d times, want 10", len(got), len(m), lock.locked)
	}
	// Changes of the map during the walk.
	changed := make(chan struct{})
	go func() {
		defer close(changed)
		for n := range len(m) {
			lock.Lock()
			delete(m, n)
			m[-n-1] = n
			lock.Unlock()
		}
	}()
	for range 20 {
		room.Collect(&lock, maps.Values(m))
	}
	<-changed
}

// A timer whose function already waits for the lock of the room cannot be stopped. When it gets the
// lock, it may be stale: the user may have returned and left again, or a room without members may
// have received an event.
func TestStaleTimer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		roomtest.Join(t, h, "alice", "p").Cut()
		synctest.Wait()
		running := room.LingerTimer(h, "p", "alice")
		roomtest.Join(t, h, "alice", "p").Cut()
		synctest.Wait()
		unread(t, bob)
		running()
		wantReceived(t, bob)
		time.Sleep(5 * time.Second)
		wantReceived(t, bob, `leave-plan p {"userId":"alice","participantCount":1}`)
	})
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		update(t, h, "p", 1)
		running := room.UnjoinedTimer(h, "p")
		time.Sleep(2*time.Minute - time.Second)
		update(t, h, "p", 2)
		running()
		time.Sleep(2*time.Minute - time.Second)
		if _, ok := h.Room("p"); !ok {
			t.Error("the room was deleted less than two minutes after its last event")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if _, ok := h.Room("p"); ok {
			t.Error("the room is kept for longer than two minutes")
		}
	})
}
