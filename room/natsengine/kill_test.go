package natsengine_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/planrooms/planrooms/room/natsengine"
)

// The process of the server that leads the log is killed while four publishers append. No record
// that was acknowledged is lost, none is stored twice, and each publisher's are in its order.
func TestKillLeader(t *testing.T) {
	servers := three(t)
	admin := newAdmin(t, servers...)
	var urls []string
	for _, m := range servers {
		urls = append(urls, m.url())
	}
	o := natsengine.Options{Servers: urls, Replicas: 3}
	a, opened := open(t, o, "a")
	b, _ := open(t, o, "b")
	seen := follow(t, b, opened.Window.First-1)

	const publishers, before, after = 4, 50, 50
	var acked sync.Map // seqs by ID
	var reached, done sync.WaitGroup
	var longest time.Duration
	var mu sync.Mutex // guards longest
	reached.Add(publishers)
	for p := range publishers {
		done.Go(func() {
			for i := range before + after {
				if i == before {
					reached.Done() // and it goes on meanwhile
				}
				id := fmt.Sprintf("%d-%d", p, i)
				begun := time.Now()
				seq, err := a.Append(within(t), id, []byte(id))
				if err != nil {
					t.Errorf("append %s: %v", id, err)
				}
				mu.Lock()
				longest = max(longest, time.Since(begun))
				mu.Unlock()
				acked.Store(id, seq)
			}
		})
	}
	reached.Wait()
	leader := admin.info("planrooms_log").Cluster.Leader
	for _, m := range servers {
		if m.options.ServerName == leader {
			m.kill()
			defer m.start()
		}
	}
	done.Wait()
	t.Logf("the longest append took %v", longest)

	last := make(map[string]int) // by publisher, the number after its last record
	for _, r := range seen.wait(publishers * (before + after)) {
		id := string(r.Data)
		if seq, ok := acked.LoadAndDelete(id); !ok || seq != r.Seq {
			t.Errorf("the record %s has seq %d; its append has returned %v", id, r.Seq, seq)
		}
		p, _, _ := strings.Cut(id, "-")
		if want := fmt.Sprintf("%s-%d", p, last[p]); id != want {
			t.Errorf("the record %s comes instead of %s", id, want)
		}
		last[p]++
	}
	acked.Range(func(id, seq any) bool {
		t.Errorf("the record %v with seq %v is lost", id, seq)
		return true
	})
	if _, window, err := a.Beat(within(t), nil); err != nil || window.Last != publishers*(before+after) || window.Epoch != opened.Window.Epoch {
		t.Errorf("Beat has returned %+v, %v", window, err)
	}
}
