package room_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Stats.Closed has the code of each connection that has ended. A peer cannot add codes to it.
func TestStatsClosed(t *testing.T) {
	defined := []protocol.CloseCode{
		protocol.CloseNormal, protocol.CloseGoingAway, protocol.CloseProtocolError, protocol.CloseUnsupportedData,
		protocol.CloseNoStatus, protocol.CloseAbnormal, protocol.CloseInvalidPayload, protocol.CloseTooBig,
		protocol.CloseBadRequest, protocol.CloseUnauthorized, protocol.CloseForbidden, protocol.CloseTimeout,
		protocol.CloseReplaced, protocol.CloseRateLimited, protocol.CloseInternal, protocol.CloseShutdown,
		protocol.CloseTooSlow,
	}
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		want := map[protocol.CloseCode]uint64{}
		for _, code := range defined {
			closeByPeer(connect(t, h, "ann", ""), code)
			want[code] = 1
		}
		for code := range protocol.CloseCode(100) {
			closeByPeer(connect(t, h, "ann", ""), 3000+code)
		}
		want[0] = 100
		open := connect(t, h, "ann", "")
		if diff := cmp.Diff(want, h.Stats().Closed); diff != "" {
			t.Errorf("Closed (-want +got):\n%s", diff)
		}
		if _, err := h.Disconnect(t.Context(), "ann"); err != nil {
			t.Fatal(err)
		}
		open.Closed()
		synctest.Wait()
		want[protocol.CloseForbidden]++
		if diff := cmp.Diff(want, h.Stats().Closed); diff != "" {
			t.Errorf("Closed after Disconnect (-want +got):\n%s", diff)
		}
	})
}

// Joins less Recovered counts the joins that did not resume. As a metric counter it must never
// decrease, even if Stats reads the two during joins.
func TestStatsJoinsWhileResuming(t *testing.T) {
	h := newHub(t, nil)
	m := roomtest.Join(t, h, "ann", "p")
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		for {
			if s := h.Stats(); s.Joins-s.Recovered != 1 {
				t.Errorf("%d joins, %d of them recovered: want one that is not", s.Joins, s.Recovered)
				return
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for range 200 {
		m.Cut()
		m.Resume()
	}
	close(done)
	group.Wait()
	if s := h.Stats(); s.Joins != 201 || s.Recovered != 200 {
		t.Errorf("%d joins, %d recovered, want 201 and 200", s.Joins, s.Recovered)
	}
}

// The timestamp of a broadcast is that of its message, from before the event was encoded.
func TestBroadcastTimestamp(t *testing.T) {
	var sent seen[room.BroadcastInfo]
	opts := &room.Options{Observer: room.Observer{Broadcast: func(_ context.Context, b room.BroadcastInfo) { sent.add(b) }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "ann", "p")
		began := time.Now()
		if _, err := h.BroadcastBatch(t.Context(), "p", []protocol.Event{protocol.TaskUpdated(slowTask{}), protocol.TaskDeleted("9")}); err != nil {
			t.Fatal(err)
		}
		for _, b := range sent.take() {
			if !b.Timestamp.Equal(began) {
				t.Errorf("Timestamp is %v after the call began", b.Timestamp.Sub(began))
			}
			if got := m.Next().Timestamp; !got.Equal(began.Truncate(time.Millisecond)) {
				t.Errorf("the message has %v, want %v", got, began)
			}
		}
	})
}

// slowTask takes a second to encode.
type slowTask struct{}

func (slowTask) MarshalJSON() ([]byte, error) {
	time.Sleep(time.Second)
	return []byte(`{"id":"8"}`), nil
}

// An Observer of broadcasts and deliveries causes no allocation.
func TestObserverDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var broadcasts, passes atomic.Int64
	allocations := func(o room.Observer) float64 {
		h := newHub(t, &room.Options{Observer: o, PingEvery: -1})
		d := newDiscard(t, h, "ann", nil)
		defer d.end()
		d.session.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
		for h.Stats().Joins < 1 {
			runtime.Gosched()
		}
		return testing.AllocsPerRun(500, func() {
			want := d.calls.Load() + 1
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", benchTask); err != nil {
				t.Fatal(err)
			}
			for d.calls.Load() < want {
				runtime.Gosched()
			}
		})
	}
	with := allocations(room.Observer{
		Broadcast: func(context.Context, room.BroadcastInfo) { broadcasts.Add(1) },
		Delivered: func(room.DeliveryInfo) { passes.Add(1) },
	})
	if without := allocations(room.Observer{}); with > without || broadcasts.Load() < 500 || passes.Load() < 500 {
		t.Errorf("%v allocations for a broadcast with an Observer, called %d and %d times; without %v", with, broadcasts.Load(), passes.Load(), without)
	}
}
