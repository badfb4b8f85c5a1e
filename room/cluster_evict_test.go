package room_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// TestEvictedBehindASlowObserver has Observer.Evicted hold up its calls: the log is applied all the
// same, the calls share one goroutine, and those beyond the bound are dropped.
func TestEvictedBehindASlowObserver(t *testing.T) {
	const waiting, plans = 4096, 5000
	var held chan struct{}
	var calls atomic.Int32
	o := room.Options{HistoryTotal: 32 << 10, Observer: room.Observer{Evicted: func(room.EvictionInfo) {
		<-held
		calls.Add(1)
	}}}
	nodes(t, 1, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		held = make(chan struct{}) // in the bubble
		before := runtime.NumGoroutine()
		for i := range plans {
			publish(t, nodes[0].Hub, fmt.Sprint("plan-", i), "event")
		}
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines more", n)
		}
		if n := nodes[0].Stats().Evicted; n <= waiting || n > plans {
			t.Errorf("%d events count as evicted", n)
		}
		close(held)
		synctest.Wait()
		if n := calls.Load(); n != waiting+1 {
			t.Errorf("%d calls of Observer.Evicted, want %d", n, waiting+1)
		}
	})
}

// TestGoexitInEvicted has Observer.Evicted end its goroutine: later calls still come.
func TestGoexitInEvicted(t *testing.T) {
	var calls atomic.Int32
	o := room.Options{HistoryTotal: 1, Observer: room.Observer{Evicted: func(room.EvictionInfo) {
		calls.Add(1)
		runtime.Goexit()
	}}}
	nodes(t, 1, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		for i := range 3 {
			publish(t, nodes[0].Hub, fmt.Sprint("plan-", i), "event")
			synctest.Wait()
			if n := calls.Load(); int(n) != i+1 {
				t.Fatalf("%d calls of Observer.Evicted after %d events", n, i+1)
			}
		}
	})
}
