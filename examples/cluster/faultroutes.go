package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// faultRoutes adds the routes that the command faults needs. They have no login.
func (n *node) faultRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /revoke", n.revoke)
	mux.HandleFunc("POST /clock", n.jump)
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
