package client_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/transport/client"
)

// versioned sends the event seq of one key.
func (w *wire) versioned(seq uint64, key string, n int64) {
	w.t.Helper()
	w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d},"seq":%d,"prev":%d,"version":{"key":%q,"n":%d}}`, seq, seq, seq-1, key, n)
}

// A prev below the last seq is not a gap: another server may know the plan less far back.
func TestSmallerPrevIsNotAGap(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 5, 0)
		w.event("demo", 6, 2)
		w.event("demo", 7, 0)
		w.event("demo", 6, 5) // a duplicate
		want(t, p, "reload joined", "task 5", "task 6", "task 7")
		w.silent()
	})
}

// An event with a version below the last one of its key is dropped, and its position counts.
func TestOutdatedEventIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.versioned(1, "a", 7)
		w.versioned(2, "a", 6)
		w.versioned(3, "b", 1)
		w.versioned(4, "a", 7)
		w.versioned(5, "a", 8)
		w.say(`{"type":"receipt","planId":"demo","seq":6,"prev":5,"mutationId":"m","version":{"key":"b","n":3}}`)
		w.versioned(7, "b", 2)
		want(t, p, "reload joined", "task 1", "task 3", "task 4", "task 5", "receipt m")
		synctest.Wait()
		if got := p.Position().Seq; got != 7 {
			t.Errorf("Position() = %d, want 7, after the dropped event", got)
		}
		w.versioned(8, "a", 1)
		synctest.Wait()
		if got := p.Position().Seq; got != 8 {
			t.Errorf("Position() = %d, want 8, after the dropped event", got)
		}
		w.lose(net.ErrClosed) // versions outlive the connection
		w = s.open()
		w.join(true, "e", 8)
		w.versioned(9, "a", 7)
		w.versioned(10, "c", 1)
		want(t, p, "join-plan   1", "task 10")
	})
}

// After a Reload that starts the stream again, earlier versions do not count: the host may have
// restored an older plan.
func TestVersionsEndWithTheStream(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.versioned(1, "a", 7)
		w.resync("e", 2, 0)
		w.versioned(3, "a", 1)
		want(t, p, "reload resync", "task 3")
		w.lose(net.ErrClosed)
		w = s.open()
		w.join(false, "f", 3)
		w.versioned(4, "a", 0)
		want(t, p, "reload not_recovered", "task 4")
	})
}

// The memory for versions is bounded, and the keys that were used last are kept.
func TestVersionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 20_000, QueueBytes: 64 << 20})
		p := w.enter(c, "demo")
		seq := uint64(0)
		send := func(key string, n int64) {
			seq++
			w.versioned(seq, key, n)
		}
		for i := range 5000 {
			send(fmt.Sprint("key", i), 5)
			send("often", int64(i))
		}
		synctest.Wait()
		if got := client.Versions(p); got > 2048 {
			t.Errorf("%d versions kept, want at most 2,048", got)
		}
		for got := ""; got != "task 10000"; got = describe(next(t, p)) {
		}
		send("often", 0)   // dropped
		send("key4500", 4) // dropped
		send("key0", 4)    // forgotten
		want(t, p, "task 10003")
	})
}
