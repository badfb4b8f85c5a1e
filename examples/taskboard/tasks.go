package main

import (
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const (
	maxNotesRunes  = 10_000
	maxTaskBody    = 160 << 10 // notes with every character escaped
	maxReorderBody = 64 << 10
)

// The changes have the same shape: read the request; commit and broadcast, in order with the other
// changes of the plan; answer. The transaction that makes the change checks the rights of the user.

func (s *service) createTask(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		Title    string  `json:"title"`
		Notes    string  `json:"notes"`
		Assignee *string `json:"assignee"`
	}
	if !readJSON(w, r, maxTaskBody, &body) || !validTask(w, &body.Title, &body.Notes, nil) {
		return
	}
	var task store.Task
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		made, progress, err := s.store.CreateTask(r.Context(), userID, planID, store.NewTask(body))
		if err != nil {
			return err
		}
		task = made
		s.live.taskCreated(r, userID, made, progress)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusCreated, task)
}

func (s *service) updateTask(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		Version  int64               `json:"version"`
		Title    field[string]       `json:"title"`
		Notes    field[string]       `json:"notes"`
		Status   field[store.Status] `json:"status"`
		Assignee field[*string]      `json:"assignee"`
	}
	if !readJSON(w, r, maxTaskBody, &body) {
		return
	}
	patch := store.TaskPatch{
		Version:  body.Version,
		Title:    body.Title.pointer(),
		Notes:    body.Notes.pointer(),
		Status:   body.Status.pointer(),
		Assignee: body.Assignee.pointer(),
	}
	switch {
	case patch.Version < 1:
		badRequest(w, "The version that the change is based on is required.")
		return
	case patch.Title == nil && patch.Notes == nil && patch.Status == nil && patch.Assignee == nil:
		badRequest(w, "The change is empty.")
		return
	case !validTask(w, patch.Title, patch.Notes, patch.Status):
		return
	}
	taskID := r.PathValue("taskId")
	planID, err := s.store.PlanOfTask(r.Context(), userID, taskID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var task store.Task
	err = s.live.inOrder(planID, func() error {
		changed, progress, err := s.store.UpdateTask(r.Context(), userID, taskID, patch)
		if err != nil {
			return err
		}
		task = changed
		s.live.taskUpdated(r, userID, changed, progress)
		return nil
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, task)
}

func (s *service) deleteTask(w http.ResponseWriter, r *http.Request, userID string) {
	var version *int64
	if query := r.URL.Query(); query.Has("version") {
		v, err := strconv.ParseInt(query.Get("version"), 10, 64)
		if err != nil || v < 1 {
			badRequest(w, "The version is not a positive number.")
			return
		}
		version = &v
	}
	taskID := r.PathValue("taskId")
	planID, err := s.store.PlanOfTask(r.Context(), userID, taskID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	err = s.live.inOrder(planID, func() error {
		progress, err := s.store.DeleteTask(r.Context(), userID, taskID, version)
		if err == nil {
			s.live.taskDeleted(r, userID, planID, taskID, progress)
		}
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// restoreTask brings back a task that was deleted.
func (s *service) restoreTask(w http.ResponseWriter, r *http.Request, userID string) {
	taskID := r.PathValue("taskId")
	planID, err := s.store.PlanOfDeletedTask(r.Context(), userID, taskID)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	var restored store.Restored
	err = s.live.inOrder(planID, func() (err error) {
		restored, err = s.store.RestoreTask(r.Context(), userID, taskID)
		if err == nil {
			s.live.taskRestored(r, userID, restored)
		}
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, restored)
}

func (s *service) reorderTasks(w http.ResponseWriter, r *http.Request, userID string) {
	var body struct {
		TaskIDs []string `json:"taskIds"`
	}
	if !readJSON(w, r, maxReorderBody, &body) {
		return
	}
	if body.TaskIDs == nil {
		badRequest(w, "The ids of all tasks are required.")
		return
	}
	planID := r.PathValue("planId")
	err := s.live.inOrder(planID, func() error {
		err := s.store.ReorderTasks(r.Context(), userID, planID, body.TaskIDs)
		if err == nil {
			s.live.tasksReordered(r, userID, planID, body.TaskIDs)
		}
		return err
	})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// validTask checks the arguments that are not nil. If one is invalid it answers the request and
// reports false.
func validTask(w http.ResponseWriter, title, notes *string, status *store.Status) bool {
	switch {
	case title != nil && !validTitle(*title):
		badRequest(w, titleRule)
	case notes != nil && utf8.RuneCountInString(*notes) > maxNotesRunes:
		badRequest(w, "Notes have 10,000 characters at most.")
	case status != nil && !status.Valid():
		badRequest(w, "A status is not_started, in_progress or completed.")
	default:
		return true
	}
	return false
}
