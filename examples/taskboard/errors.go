package main

import (
	"errors"
	"net/http"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// refusal is the answer to a request that was refused.
type refusal struct {
	Error string `json:"error"` // for people
	Code  string `json:"code"`  // for programs
}

// refusals maps errors of the store to answers. Any other error is internal.
var refusals = []struct {
	err    error
	status int
	refusal
}{
	{store.ErrNotFound, http.StatusNotFound, refusal{"It does not exist, or you have no access to it.", "not_found"}},
	{store.ErrForbidden, http.StatusForbidden, refusal{"Your role in this plan does not allow that.", "forbidden"}},
	{store.ErrNoSuchUser, http.StatusNotFound, refusal{"No user has this e-mail address.", "no_such_user"}},
	{store.ErrNotMember, http.StatusBadRequest, refusal{"The assignee is not a member of the plan.", "not_a_member"}},
	{store.ErrAlreadyMember, http.StatusConflict, refusal{"That person is already a member.", "already_member"}},
	{store.ErrAlreadyInvited, http.StatusConflict, refusal{"That person is already invited.", "already_invited"}},
	{store.ErrLastOwner, http.StatusConflict, refusal{"A plan needs an owner. Pass it on to another member first, or delete it.", "last_owner"}},
	{store.ErrFull, http.StatusConflict, refusal{"A limit is reached: no more can be added.", "full"}},
}

// fail answers a request after an error. The cause of an internal error is logged and not sent.
func (s *service) fail(w http.ResponseWriter, r *http.Request, err error) {
	var task *store.ConflictError
	if errors.As(err, &task) {
		writeJSON(w, http.StatusConflict, struct {
			refusal
			Task store.Task `json:"task"`
		}{refusal{"The task has changed in the meantime.", "conflict"}, task.Current})
		return
	}
	var order *store.OrderConflictError
	if errors.As(err, &order) {
		writeJSON(w, http.StatusConflict, struct {
			refusal
			TaskIDs []string `json:"taskIds"`
		}{refusal{"Tasks were added or deleted in the meantime.", "conflict"}, order.Current})
		return
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			writeJSON(w, known.status, known.refusal)
			return
		}
	}
	if r.Context().Err() != nil { // the client disconnected, or the time limit is over
		s.log.WarnContext(r.Context(), "request canceled", "method", r.Method, "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", "1")
		writeError(w, http.StatusServiceUnavailable, "unavailable", "That took too long. Please try again.")
		return
	}
	s.log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	writeError(w, http.StatusInternalServerError, "internal", "Something went wrong on the server.")
}

func writeError(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, refusal{text, code})
}

func badRequest(w http.ResponseWriter, text string) {
	writeError(w, http.StatusBadRequest, "bad_request", text)
}
