package main

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

// faultRoutes adds the routes that the command faults needs. They have no login.
func (n *node) faultRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /revoke", n.revoke)
	mux.HandleFunc("POST /clock", n.jump)
	mux.HandleFunc("GET /opening", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, n.openings.last()) })
}

// revoke ends the access of a user to a plan, of which the database knows already. It answers when
// the nodes write no more events of the plan to the user.
func (n *node) revoke(w http.ResponseWriter, r *http.Request) {
	var a access
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&a); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := n.hub.Revoke(r.Context(), a.Plan, a.User); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// opening is when a gate opened for a tenure.
type opening struct {
	Tenure     uint64    `json:"tenure"`
	Shut, Open time.Time // the gate opened between them
}

// openings has the last opening of the gate of a node.
type openings struct {
	mu      sync.Mutex // guards the following
	current opening
}

func (o *openings) last() opening {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.current
}

// start looks at the gate every 4 ms until the function that it returns is called.
func (o *openings) start(hub *room.Hub) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { o.watch(ctx, hub) })
	return func() { cancel(); done.Wait() }
}

func (o *openings) watch(ctx context.Context, hub *room.Hub) {
	tick := time.NewTicker(4 * time.Millisecond)
	defer tick.Stop()
	shut := time.Now()
	for ctx.Err() == nil {
		begun := time.Now()
		info, _ := hub.Cluster()
		if now := time.Now(); !info.Open || info.Tenure == o.last().Tenure {
			shut = begun
		} else {
			o.mu.Lock()
			o.current = opening{info.Tenure, shut, now}
			o.mu.Unlock()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// jump lets the clocks of the node jump.
func (n *node) jump(w http.ResponseWriter, r *http.Request) {
	wall, err := time.ParseDuration(r.FormValue("wall"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	monotonic, err := time.ParseDuration(r.FormValue("monotonic"))
	if err != nil || monotonic < 0 {
		http.Error(w, "monotonic is not a duration, or negative", http.StatusBadRequest)
		return
	}
	n.clock.jump(wall, monotonic)
	w.WriteHeader(http.StatusNoContent)
}

// jumpingClock is the clock of the machine, except for its jumps.
type jumpingClock struct {
	start time.Time

	mu              sync.Mutex // guards the following
	wall, monotonic time.Duration
}

func newJumpingClock() *jumpingClock { return &jumpingClock{start: time.Now()} }

// Wall implements room.Clock.
func (c *jumpingClock) Wall() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Round(0).Add(c.wall)
}

// Monotonic implements room.Clock.
func (c *jumpingClock) Monotonic() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Since(c.start) + c.monotonic
}

func (c *jumpingClock) jump(wall, monotonic time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall += wall
	c.monotonic += monotonic
}
