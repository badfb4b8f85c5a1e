package node_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

func message(seq int64, published time.Time) []byte {
	return event.Append(nil, event.Mark{Seq: seq, Time: published.UnixNano()})
}

func TestViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := node.NewViewers(node.View{Plans: 2, Timed: true})
		published := time.Now()
		time.Sleep(3 * time.Millisecond)
		if s.Receive(0, []byte(`{"type":"join-plan"}`)) {
			t.Error("a message without an event counts as one")
		}
		for _, seq := range []int64{1, 2, 4, 63, 64, 65, 128, 1} { // the last one twice
			if !s.Receive(int(seq)%2, message(seq, published)) {
				t.Errorf("event %d does not count", seq)
			}
		}
		s.Receive(1, message(6, published)) // of the plan of viewer 0
		s.Interrupt(0)
		got := s.Await(9, time.Hour)
		want := node.Viewed{
			Count: 9, Sum: 334, Order: got.Order, Doubled: 1, Astray: 1, Broken: 1, Last: time.Now().UnixNano(),
			Times: node.Times{P50: 3000, P99: 3000},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("viewed (-want +got):\n%s", diff)
		}
	})
}

// The orders of two nodes are compared for each viewer, whatever the order of the viewers.
func TestOrder(t *testing.T) {
	order := func(received ...int64) uint64 { // number of the event, by 10 more for the second viewer
		s := node.NewViewers(node.View{Plans: 2})
		for _, n := range received {
			s.Receive(int(n/10), message(n, time.Now()))
		}
		return s.Await(0, 0).Order
	}
	if order(1, 2, 11, 12) != order(11, 1, 12, 2) {
		t.Error("events of different viewers have an order")
	}
	if order(1, 2, 11, 12) == order(2, 1, 11, 12) {
		t.Error("events of one viewer have no order")
	}
}

// A wait for an event that never arrives ends when nothing has arrived for a while.
func TestAwaitGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := node.NewViewers(node.View{Plans: 1})
		begun := time.Now()
		go func() {
			time.Sleep(3 * time.Second)
			s.Receive(0, message(1, begun))
		}()
		if v := s.Await(2, 4*time.Second); v.Count != 1 || time.Since(begun) != 7*time.Second {
			t.Errorf("after %v there are %d events, want 1 after 7 s", time.Since(begun), v.Count)
		}
	})
}

// A wait ends when the node has applied the log, and fails if it does not for half a minute.
func TestAwaitLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			takes, want time.Duration
			err         error
		}{{0, 0, nil}, {5 * time.Second, 5 * time.Second, nil}, {time.Hour, 30 * time.Second, node.ErrLog}} {
			begun := time.Now()
			err := node.AwaitLog(7, func(seq uint64) bool { return seq == 7 && time.Since(begun) >= test.takes })
			if took := time.Since(begun); took != test.want || !errors.Is(err, test.err) {
				t.Errorf("the node took %v to apply the log: %v after %v, want %v after %v", test.takes, err, took, test.err, test.want)
			}
		}
	})
}

func TestPublish(t *testing.T) {
	var mu sync.Mutex // guards plans
	plans := map[string]int{}
	p, err := node.Run(node.Publish{Plans: 3, Publishers: 4, Events: 9, Size: 300}, func(plan string, task []byte) (uint64, error) {
		m, _, ok := event.Cut(task)
		if !ok || len(task) != 300 {
			return 0, fmt.Errorf("the task is %q", task)
		}
		mu.Lock()
		defer mu.Unlock()
		plans[plan]++
		return 100 + uint64(m.Seq), nil
	})
	if err != nil || p.Count != 9 || p.Sum != 45 || p.Seq != 109 || p.Ended < p.Begun {
		t.Errorf("published %+v, %v, want the events 1 to 9", p, err)
	}
	if diff := cmp.Diff(map[string]int{"plan-0": 3, "plan-1": 3, "plan-2": 3}, plans); diff != "" {
		t.Errorf("events of plans (-want +got):\n%s", diff)
	}
}

func TestPublishTakesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		what := node.Publish{Plans: 1, Publishers: 1, For: time.Second, Every: 10 * time.Millisecond, Timed: true}
		p, err := node.Run(what, func(string, []byte) (uint64, error) {
			time.Sleep(2 * time.Millisecond)
			return 0, nil
		})
		if err != nil || p.Count != 100 || p.Calls != (node.Times{P50: 2000, P99: 2000}) {
			t.Errorf("published %+v, %v, want 100 events in a second, each in 2 ms", p, err)
		}
	})
}

// A call that takes long delays the events after it. They are not published in a burst.
func TestPublishAfterAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []int64
		what := node.Publish{Plans: 1, Publishers: 1, Events: 5, Every: 10 * time.Millisecond}
		_, err := node.Run(what, func(string, []byte) (uint64, error) {
			at = append(at, time.Since(begun).Milliseconds())
			if len(at) == 2 {
				time.Sleep(35 * time.Millisecond)
			}
			return 0, nil
		})
		if diff := cmp.Diff([]int64{0, 10, 45, 55, 65}, at); diff != "" || err != nil {
			t.Errorf("events were published after so many ms: error %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestPublishFails(t *testing.T) {
	failure := errors.New("full")
	_, err := node.Run(node.Publish{Plans: 1, Publishers: 3, Size: 300}, func(string, []byte) (uint64, error) { return 0, failure })
	if !errors.Is(err, failure) {
		t.Errorf("error %v, want %v", err, failure)
	}
}
