package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

func TestSlowProgramReloads(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 4})
		slow, quick := w.enter(c, "slow"), w.enter(c, "quick")
		want(t, quick, "reload joined")
		for i := range uint64(9) {
			w.event("slow", i+1, i)
		}
		w.event("quick", 1, 0)
		want(t, quick, "task 1") // it does not wait for the slow plan

		// The queue held [joined 1 2 3], then [overflow 5 6 7], then [overflow 9].
		if e := next(t, slow); e.Reason != client.ReloadOverflow || e.Position.Seq != 8 {
			t.Errorf("first item = %s at %v, want reload overflow at 8", describe(e), e.Position)
		}
		want(t, slow, "task 9")
		w.event("slow", 10, 9)
		want(t, slow, "task 10")

		w.lose(net.ErrClosed) // the client does not ask for dropped events
		w = s.open()
		for range 2 {
			req := w.expect(protocol.TypeJoinPlan)
			w.joined(req.PlanID, true, "e", req.Since.Seq)
		}
		want(t, slow, "join-plan   1")
		want(t, quick, "join-plan   1")
	})
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueBytes: 10_000})
		p := w.enter(c, "demo")
		for i := range uint64(3) {
			w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d,"text":%q},"seq":%d,"prev":%d}`, i+1, strings.Repeat("x", 4000), i+1, i)
		}
		w.event("demo", 4, 3)
		want(t, p, "reload overflow", "task 4")
	})
}

// Presence items do not displace changes from the queue.
func TestFullQueueDropsPresenceFirst(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 8})
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		for i := range 50 {
			w.say(`{"type":"presence-updated","planId":"demo","data":{"userId":"ann","state":%d}}`, i)
		}
		w.event("demo", 2, 1)
		synctest.Wait()
		var got []string
		for len(got) == 0 || got[len(got)-1] != "task 2" {
			got = append(got, describe(next(t, p)))
		}
		if len(got) > 8 || got[0] != "reload joined" || got[1] != "task 1" || got[len(got)-2] != "presence-updated ann 49 0" {
			t.Errorf("items %q, want the first and both tasks, and the newest of presence", got)
		}
	})
}

func TestNoticesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		for i := range 1000 {
			w.say(`{"type":"assigned","data":%d}`, i)
		}
		synctest.Wait()
		first, last, n := -1, -1, 0
		for last != 999 {
			m, err := c.NextNotice(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(string(m.Data), &last); err != nil {
				t.Fatal(err)
			}
			if first < 0 {
				first = last
			}
			if last != first+n {
				t.Fatalf("notice %d after %d", last, first+n-1)
			}
			n++
		}
		if n > 256 || n < 128 {
			t.Errorf("%d notices waited, want 128 to 256", n)
		}
	})
}

// Several goroutines can share a stream. All of them receive items and the end.
func TestSeveralReaders(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		got := make(chan string)
		for range 4 {
			go func() {
				for e, err := range p.All(t.Context()) {
					if err != nil {
						got <- err.Error()
						return
					}
					got <- describe(e)
				}
			}()
		}
		<-got // joined
		for i := range uint64(8) {
			w.event("demo", i+1, i)
		}
		seen := make(map[string]bool)
		for range 8 {
			seen[<-got] = true
		}
		if len(seen) != 8 {
			t.Errorf("items %v, want 8", seen)
		}
		p.Leave()
		w.expect(protocol.TypeLeavePlan)
		for range 4 {
			if e := <-got; e != client.ErrLeft.Error() {
				t.Errorf("a reader ended with %q, want %q", e, client.ErrLeft)
			}
		}
	})
}

// Items that were taken do not count for the bounds.
func TestQueueCountsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueBytes: 10_000})
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		for i := range uint64(20) {
			w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d,"text":%q},"seq":%d,"prev":%d}`, i+1, strings.Repeat("x", 4000), i+1, i)
			want(t, p, fmt.Sprint("task ", i+1))
		}
	})
}

// Two items that arrive together wake two readers.
func TestNoReaderIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 5, 4)
		w.join(true, "e", 0)
		want(t, p, "reload joined", "join-plan   1")
		got := make(chan string, 2)
		for range 2 {
			go func() { got <- describe(next(t, p)) }()
		}
		synctest.Wait()
		w.event("demo", 5, 4) // a reload and a task
		if items := <-got + <-got; items != "reload gaptask 5" && items != "task 5reload gap" {
			t.Errorf("items %q, want a reload and a task", items)
		}
	})
}

// A reader that waits for a delayed Reload, and whose context ends, leaves the Reload to another
// one.
func TestReaderThatEndsWakesAnother(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			_, err := p.Next(ctx)
			ended <- err
		}()
		synctest.Wait() // the signal is for the reader that waits first
		other := make(chan string, 1)
		go func() { other <- describe(next(t, p)) }()
		synctest.Wait()
		w.resync("e", 1, 10*time.Second)
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Fatalf("Next = %v, want %v", err, context.Canceled)
		}
		if got := <-other; got != "reload resync" {
			t.Errorf("item %q, want reload resync", got)
		}
	})
}
