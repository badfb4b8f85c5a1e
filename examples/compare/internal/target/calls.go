package target

import (
	"encoding/json"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/event"
)

// CallPlan says how the target is to publish without requests.
type CallPlan struct {
	Room string `json:"room"`
	// Pairs of calls that are timed, and as many calls again whose allocations are counted, at most
	// 64 of these.
	Count int           `json:"count"`
	Every time.Duration `json:"every"`
	Size  int           `json:"size"` // of a payload, in bytes
}

// maxCalls bounds a plan.
const maxCalls = 100_000

// maxCounted is the number of calls whose allocations are counted, which stops the world twice for
// each.
const maxCounted = 64

// Calls are how long each call took, and how many objects were allocated while one ran.
type Calls struct {
	Times  []time.Duration `json:"times"`  // of those that came after a pause
	Behind []time.Duration `json:"behind"` // of those right behind one of these
	Allocs []uint64        `json:"allocs"`
}

// calls publishes from a goroutine of the server, as the REST handler of a host does.
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
	var failed error
	seq := int64(0)
	next := func() []byte {
		seq++
		return event.Append(nil, event.Mark{Seq: seq, Time: time.Now().UnixNano(), Size: p.Size})
	}
	call := func(payload []byte) time.Duration {
		start := time.Now()
		err := t.server.Publish(p.Room, payload)
		took := time.Since(start)
		failed = errors.Join(failed, err)
		return took
	}
	for i := range p.Count + p.counted() {
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
		if i < p.Count {
			first, second := next(), next()
			c.Times = append(c.Times, call(first))
			c.Behind = append(c.Behind, call(second))
		} else {
			payload := next()
			runtime.ReadMemStats(&before)
			call(payload)
			runtime.ReadMemStats(&after)
			c.Allocs = append(c.Allocs, after.Mallocs-before.Mallocs)
		}
		if failed != nil {
			http.Error(w, failed.Error(), http.StatusInternalServerError)
			return
		}
	}
	slices.Sort(c.Allocs)
	reply(w, c)
}

func (p CallPlan) counted() int { return min(p.Count, maxCounted) }

// Published is how many events the plan publishes.
func (p CallPlan) Published() int { return 2*p.Count + p.counted() }
