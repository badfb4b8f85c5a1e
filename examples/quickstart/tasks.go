package main

import (
	"net/http"
	"slices"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

const (
	maxTaskBody    = 16 << 10  // a title in the longest way to write it
	maxReorderBody = 256 << 10 // the ids of maxTasks
)

// member lets requests of a member of the plan through to next. What is not there and what is not the user's look the same.
func (s *service) member(next func(w http.ResponseWriter, r *http.Request, p *plan, userID string)) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, id auth.Identity) {
		var p *plan
		if taskID := r.PathValue("taskId"); taskID != "" {
			p = s.plans.findByTask(taskID, id.UserID)
		} else {
			p = s.plans.find(r.PathValue("planId"), id.UserID)
		}
		if p == nil {
			notFound(w)
			return
		}
		next(w, r, p, id.UserID)
	})
}

func (s *service) getPlan(w http.ResponseWriter, r *http.Request, p *plan, _ string) {
	// The position comes before the tasks. A client that joins with it as since gets what has happened after it,
	// some of which the tasks may hold already; the other way round something could be missed.
	position, err := s.hub.Position(r.Context(), p.id)
	if err != nil {
		s.fail(w, "position", err)
		return
	}
	tasks, done := p.snapshot()
	writeJSON(w, http.StatusOK, struct {
		ID       string            `json:"id"`
		Position protocol.Position `json:"position"`
		Tasks    []task            `json:"tasks"`
		Progress progress          `json:"progress"`
	}{p.id, position, tasks, done})
}

func (s *service) createTask(w http.ResponseWriter, r *http.Request, p *plan, userID string) {
	var body struct {
		Title string `json:"title"`
	}
	if !readJSON(w, r, maxTaskBody, &body) {
		return
	}
	if !validTitle(body.Title) {
		writeError(w, http.StatusBadRequest, "title must be 1 to 2000 bytes")
		return
	}
	t, err := p.create(body.Title, func(t task, done progress) {
		s.told(s.hub.BroadcastTaskCreated(r.Context(), p.id, t, transport.Author(r, userID)))
		s.tellProgress(r, p, userID, done)
	})
	if err != nil {
		writeError(w, http.StatusConflict, "the plan is full")
		return
	}
	writeJSON(w, http.StatusCreated, t)
}

func (s *service) updateTask(w http.ResponseWriter, r *http.Request, p *plan, userID string) {
	var body struct {
		Title  *string `json:"title"`
		Status *string `json:"status"`
	}
	if !readJSON(w, r, maxTaskBody, &body) {
		return
	}
	switch {
	case body.Title == nil && body.Status == nil:
		writeError(w, http.StatusBadRequest, "title or status is required")
		return
	case body.Title != nil && !validTitle(*body.Title):
		writeError(w, http.StatusBadRequest, "title must be 1 to 2000 bytes")
		return
	case body.Status != nil && !slices.Contains(taskStatuses, *body.Status):
		writeError(w, http.StatusBadRequest, "status must be not_started, in_progress or completed")
		return
	}
	t, err := p.update(r.PathValue("taskId"), body.Title, body.Status, func(t task, done progress) {
		s.told(s.hub.BroadcastTaskUpdated(r.Context(), p.id, t, transport.Author(r, userID)))
		s.tellProgress(r, p, userID, done)
	})
	if err != nil { // somebody has just deleted it
		notFound(w)
		return
	}
	writeJSON(w, http.StatusOK, t)
}

func (s *service) deleteTask(w http.ResponseWriter, r *http.Request, p *plan, userID string) {
	taskID := r.PathValue("taskId")
	err := p.remove(taskID, func(done progress) {
		s.told(s.hub.BroadcastTaskDeleted(r.Context(), p.id, taskID, transport.Author(r, userID)))
		s.tellProgress(r, p, userID, done)
	})
	if err != nil { // somebody has just deleted it
		notFound(w)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) reorderTasks(w http.ResponseWriter, r *http.Request, p *plan, userID string) {
	var body struct {
		TaskIDs []string `json:"taskIds"`
	}
	if !readJSON(w, r, maxReorderBody, &body) {
		return
	}
	err := p.reorder(body.TaskIDs, func() {
		s.told(s.hub.BroadcastTaskReordered(r.Context(), p.id, body.TaskIDs, transport.Author(r, userID)))
	})
	if err != nil {
		writeError(w, http.StatusBadRequest, "taskIds must be those of all tasks, each once")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// tellProgress tells everybody, the author's tab included, how far the plan is: only the server has counted.
func (s *service) tellProgress(r *http.Request, p *plan, userID string, done progress) {
	s.told(s.hub.BroadcastProgressUpdated(r.Context(), p.id, done,
		room.By(userID), room.Mutation(r.Header.Get("X-Plan-Mutation"))))
}

// told logs a broadcast that failed. The change was made all the same, so its request succeeds.
func (s *service) told(err error) {
	if err != nil {
		s.log.Error("broadcast", "error", err)
	}
}

func validTitle(title string) bool { return title != "" && len(title) <= maxTitleBytes }
