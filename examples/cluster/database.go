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
	Change uint64 `json:"change"` // the number of the change, counted over all tasks from 1 on
	Run    string `json:"run"`    // of the database: numbers of another run mean nothing
}

// plan is what a page loads.
type plan struct {
	Position protocol.Position `json:"position"`
	Change   uint64            `json:"change"` // the plan contains the changes up to this one
	Tasks    []task            `json:"tasks"`
}

// database is what the nodes of a service share. This one is in memory.
type database struct {
	run string

	mu   sync.Mutex // guards the following
	plan plan
}

func newDatabase(run string) *database {
	d := &database{run: run}
	for _, title := range []string{"Walls", "Roof", "Windows", "Wiring", "Paint", "Garden"} {
		d.plan.Tasks = append(d.plan.Tasks, task{ID: title, Title: title, Run: run})
	}
	return d
}

// apply stores a change. One that was stored before does nothing.
func (d *database) apply(t task) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if t.Run != d.run || t.Change != d.plan.Change+1 {
		return // the publisher makes one change after the other, so it is a repetition
	}
	d.plan.Change = t.Change
	for i := range d.plan.Tasks {
		if d.plan.Tasks[i].ID == t.ID {
			d.plan.Tasks[i] = t
		}
	}
}

// next returns what the next change makes of a task.
func (d *database) next() task {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.plan.Change + 1
	t := d.plan.Tasks[n%uint64(len(d.plan.Tasks))]
	t.Change = n
	t.Done = (t.Done + 5) % 105
	return t
}

// current returns a copy of the plan.
func (d *database) current() plan {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.plan
	p.Tasks = append([]task(nil), p.Tasks...)
	return p
}

func (d *database) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /plan", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, d.current())
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
