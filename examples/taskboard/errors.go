package main

import (
	"errors"
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// refusal is the answer to a request that was not carried out.
type refusal struct {
	Error string `json:"error"` // for people
	Code  string `json:"code"`  // for programs
}

// refusals says how errors of the store are answered. What is not here is a fault of ours.
var refusals = []struct {
	err    error
	status int
	refusal
}{
	{store.ErrNotFound, http.StatusNotFound, refusal{"There is no such thing, or it is not yours.", "not_found"}},
	{store.ErrForbidden, http.StatusForbidden, refusal{"Your role in this plan does not allow that.", "forbidden"}},
	{store.ErrNoSuchUser, http.StatusNotFound, refusal{"Nobody here has this e-mail address.", "no_such_user"}},
	{store.ErrNotMember, http.StatusBadRequest, refusal{"The assignee is not a member of the plan.", "not_a_member"}},
	{store.ErrAlreadyMember, http.StatusConflict, refusal{"That person is a member already.", "already_member"}},
	{store.ErrLastOwner, http.StatusConflict, refusal{"A plan needs an owner.", "last_owner"}},
	{store.ErrFull, http.StatusConflict, refusal{"There is no room for another one.", "full"}},
}

// fail answers a request after an error of the store, or of anything else. A client learns nothing of the cause of what is
// not its fault.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	var task *store.ConflictError
	if errors.As(err, &task) {
		writeJSON(w, http.StatusConflict, struct {
			refusal
			Task store.Task `json:"task"`
		}{refusal{"The task has changed meanwhile.", "conflict"}, task.Current})
		return
	}
	var order *store.OrderConflictError
	if errors.As(err, &order) {
		writeJSON(w, http.StatusConflict, struct {
			refusal
			TaskIDs []string `json:"taskIds"`
		}{refusal{"The plan has other tasks by now.", "conflict"}, order.Current})
		return
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			writeJSON(w, known.status, known.refusal)
			return
		}
	}
	if r.Context().Err() != nil { // the client has gone, or waited too long
		s.log.WarnContext(r.Context(), "request given up", "method", r.Method, "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "unavailable", "That took too long. Please try again.")
		return
	}
	s.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	writeError(w, http.StatusInternalServerError, "internal", "Something went wrong here.")
}

func writeError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, refusal{text, code})
}

func badRequest(w http.ResponseWriter, text string) {
	writeError(w, http.StatusBadRequest, "bad_request", text)
}
