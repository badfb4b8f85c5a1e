package main

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

const (
	maxTaskBody    = 16 << 10  // the longest title with every character escaped
	maxReorderBody = 256 << 10 // the IDs of maxTasks
)

// member calls next for requests of a member of the plan. A plan that does not exist and a plan of
// others get the same answer.
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
	// The position comes before the tasks. A client that joins with it as since gets all later
	// events. The tasks may already contain some of them. In the other order the client could miss
	// events.
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
		writeError(w, http.StatusBadRequest, badTitle)
		return
	}
	t, err := p.create(body.Title, func(t task, done progress) {
		s.logFailure(s.hub.BroadcastTaskCreated(r.Context(), p.id, t, transport.Author(r, userID)))
		s.broadcastProgress(r, p, userID, done)
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
		writeError(w, http.StatusBadRequest, badTitle)
		return
	case body.Status != nil && !slices.Contains(taskStatuses, *body.Status):
		writeError(w, http.StatusBadRequest, "status must be not_started, in_progress or completed")
		return
	}
	t, err := p.update(r.PathValue("taskId"), body.Title, body.Status, func(t task, done progress) {
		s.logFailure(s.hub.BroadcastTaskUpdated(r.Context(), p.id, t, transport.Author(r, userID)))
		s.broadcastProgress(r, p, userID, done)
	})
	if err != nil { // another request has just deleted it
		notFound(w)
		return
	}
	writeJSON(w, http.StatusOK, t)
}

func (s *service) deleteTask(w http.ResponseWriter, r *http.Request, p *plan, userID string) {
	taskID := r.PathValue("taskId")
	err := p.remove(taskID, func(done progress) {
		s.logFailure(s.hub.BroadcastTaskDeleted(r.Context(), p.id, taskID, transport.Author(r, userID)))
		s.broadcastProgress(r, p, userID, done)
	})
	if err != nil { // another request has just deleted it
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
		s.logFailure(s.hub.BroadcastTaskReordered(r.Context(), p.id, body.TaskIDs, transport.Author(r, userID)))
	})
	if err != nil {
		writeError(w, http.StatusBadRequest, "taskIds must be those of all tasks, each once")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// broadcastProgress sends the progress to all viewers, the author's tab included: only the server
// has counted the tasks.
func (s *service) broadcastProgress(r *http.Request, p *plan, userID string, done progress) {
	s.logFailure(s.hub.BroadcastProgressUpdated(r.Context(), p.id, done,
		room.By(userID), room.Mutation(r.Header.Get(transport.HeaderMutation))))
}

// logFailure logs a broadcast that failed. The change was made, so the request succeeds.
func (s *service) logFailure(_ protocol.Position, err error) {
	if err != nil {
		s.log.Error("broadcast", "error", err)
	}
}

const badTitle = "a title has 1 to 2000 bytes, in one line without control characters, and not only invisible ones"

// validTitle does not refuse bidi controls, which Arabic and Hebrew titles may need: the page
// isolates each title from its own words.
func validTitle(title string) bool {
	return strings.ContainsFunc(title, isVisible) && len(title) <= maxTitleBytes &&
		!strings.ContainsFunc(title, breaksLine)
}

// isVisible reports whether people see r. Spaces, and characters of no width such as U+200B, are
// not visible.
func isVisible(r rune) bool {
	const brailleBlank = '\u2800'
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// breaksLine reports whether r is a control character, or a separator of lines or paragraphs.
func breaksLine(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029'
}
