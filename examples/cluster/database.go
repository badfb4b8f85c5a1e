package main

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// task is one task of the plan, as its last change has made it.
type task struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Done   int    `json:"done"`   // percent
	Change uint64 `json:"change"` // the number of the change, counted over all tasks of the plan from 1 on
	Run    string `json:"run"`    // of the database: numbers of another run mean nothing
	Plan   string `json:"plan"`
}

// plan is what a page loads.
type plan struct {
	Position protocol.Position `json:"position"`
	Change   uint64            `json:"change"` // the plan contains the changes up to this one
	Tasks    []task            `json:"tasks"`
}

// database is what the nodes of a service share. This one is in memory. A plan exists as soon as
// someone asks for it.
type database struct {
	run string

	mu      sync.Mutex // guards the following
	plans   map[string]*plan
	revoked map[access]bool // who may no longer view which plan
}

// access is the right of a user to view a plan.
type access struct {
	User string `json:"user"`
	Plan string `json:"plan"`
}

func newDatabase(run string) *database {
	return &database{run: run, plans: make(map[string]*plan), revoked: make(map[access]bool)}
}

// planLocked returns the plan with an ID.
func (d *database) planLocked(id string) *plan {
	p := d.plans[id]
	if p == nil {
		p = &plan{}
		for _, title := range []string{"Walls", "Roof", "Windows", "Wiring", "Paint", "Garden"} {
			p.Tasks = append(p.Tasks, task{ID: title, Title: title, Run: d.run, Plan: id})
		}
		d.plans[id] = p
	}
	return p
}

// apply stores a change. One that was stored before does nothing.
func (d *database) apply(t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.planLocked(t.Plan)
	if t.Run != d.run || t.Change != p.Change+1 {
		return // a plan gets one change after the other, so it is a repetition
	}
	p.Change = t.Change
	for i := range p.Tasks {
		if p.Tasks[i].ID == t.ID {
			p.Tasks[i] = t
		}
	}
}

// next returns what the next change of a plan makes of a task.
func (d *database) next(plan string) task {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.planLocked(plan)
	n := p.Change + 1
	t := p.Tasks[n%uint64(len(p.Tasks))]
	t.Change = n
	t.Done = (t.Done + 5) % 105
	return t
}

// current returns a copy of a plan.
func (d *database) current(id string) plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := *d.planLocked(id)
	p.Tasks = append([]task(nil), p.Tasks...)
	return p
}

// revoke ends the right of a user to view a plan.
func (d *database) revoke(a access) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.revoked[a] = true
}

func (d *database) mayView(a access) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !d.revoked[a]
}

func (d *database) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plan", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, d.current(r.FormValue("plan")))
	})
	mux.HandleFunc("GET /access", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, d.mayView(access{r.FormValue("user"), r.FormValue("plan")}))
	})
	mux.HandleFunc("POST /changes", func(w http.ResponseWriter, r *http.Request) {
		var t task
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&t); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		d.apply(t)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
