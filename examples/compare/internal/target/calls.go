package target

import (
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
)

// CallPlan says how the target is to publish by itself.
type CallPlan struct {
	Room  string        `json:"room"`
	Count int           `json:"count"` // calls that are timed, and as many again whose allocations are counted, at most 64 of these
	Every time.Duration `json:"every"`
	Size  int           `json:"size"` // of a payload, in bytes
}

// maxCalls bounds a plan.
const maxCalls = 100_000

// maxCounted is the number of calls whose allocations are counted, which stops the world twice for each.
const maxCounted = 64

// Calls are how long each call took, and how many objects were allocated while one ran.
type Calls struct {
	Times  []time.Duration `json:"times"`
	Allocs []uint64        `json:"allocs"`
}

// calls publishes from a goroutine of its own process, as the REST handler of a host does.
func (t *Target) calls(w http.ResponseWriter, r *http.Request) {
	var p CallPlan
	if err := json.NewDecoder(r.Body).Decode(&p); err != nil || p.Count < 1 || p.Count > maxCalls || p.Every <= 0 {
		http.Error(w, "not a plan of calls", http.StatusBadRequest)
		return
	}
	var c Calls
	ticker := time.NewTicker(p.Every)
	defer ticker.Stop()
	var before, after runtime.MemStats
	counted := min(p.Count, maxCounted)
	for i := range p.Count + counted {
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
		payload := event.Append(nil, event.Mark{Seq: int64(i + 1), Time: time.Now().UnixNano(), Size: p.Size})
		count := i >= p.Count
		if count {
			runtime.ReadMemStats(&before)
		}
		start := time.Now()
		err := t.server.Publish(p.Room, payload)
		took := time.Since(start)
		if count {
			runtime.ReadMemStats(&after)
			c.Allocs = append(c.Allocs, after.Mallocs-before.Mallocs)
		} else {
			c.Times = append(c.Times, took)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	slices.Sort(c.Times)
	slices.Sort(c.Allocs)
	reply(w, c)
}

// Published is how many events the plan publishes.
func (p CallPlan) Published() int { return p.Count + min(p.Count, maxCounted) }
