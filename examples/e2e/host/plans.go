package main

import (
	"encoding/json"
	"net/http"
	"strconv"
	"sync"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

type task struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// plans are the tasks of all plans. A plan exists as soon as a request names it.
type plans struct {
	hub *room.Hub

	mu    sync.Mutex // guards tasks, and keeps the events in the order of the changes
	tasks map[string][]task
}

func (p *plans) get(w http.ResponseWriter, r *http.Request, _ session) {
	planID := r.PathValue("id")
	p.mu.Lock()
	defer p.mu.Unlock()
	position, err := p.hub.Position(r.Context(), planID)
	if err != nil {
		http.Error(w, "no position", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set(transport.HeaderPosition, position.String())
	respond(w, struct {
		Position protocol.Position `json:"position"`
		Tasks    []task            `json:"tasks"`
	}{position, append([]task{}, p.tasks[planID]...)})
}

// add adds a task and broadcasts it to all clients but the one that made the request.
func (p *plans) add(w http.ResponseWriter, r *http.Request, s session) {
	var body struct{ Title string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&body); err != nil || body.Title == "" {
		http.Error(w, "a title is required", http.StatusBadRequest)
		return
	}
	planID := r.PathValue("id")
	p.mu.Lock()
	defer p.mu.Unlock()
	added := task{ID: planID + "-" + strconv.Itoa(len(p.tasks[planID])), Title: body.Title}
	p.tasks[planID] = append(p.tasks[planID], added)
	if _, err := p.hub.BroadcastTaskCreated(r.Context(), planID, added, transport.Author(r, s.user)); err != nil {
		http.Error(w, "not broadcast", http.StatusServiceUnavailable)
		return
	}
	respond(w, added)
}

func respond(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // an error means that the client has gone
}
