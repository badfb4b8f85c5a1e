package main

import (
	"errors"
	"net/http"
	"slices"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// isOperator reports whether the request comes from a user of the flag -operator who is logged in.
// The operators' page shows all plans, with the people in them. A browser that opens it sends no
// token, so the cookie of the session identifies the user.
func (s *service) isOperator(r *http.Request) bool {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return false
	}
	session, err := s.store.SessionOf(r.Context(), cookie.Value)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			s.log.ErrorContext(r.Context(), "operator", "error", err)
		}
		return false
	}
	return slices.Contains(s.config.operators, session.User.Email)
}
