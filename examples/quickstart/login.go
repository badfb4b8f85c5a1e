package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// person is a user who can log in. This demo has no passwords.
type person struct{ id, name string }

var people = []person{{"alice", "Alice"}, {"bob", "Bob"}, {"carol", "Carol"}, {"mallory", "Mallory"}}

func personCalled(id string) (person, bool) {
	for _, p := range people {
		if p.id == id {
			return p, true
		}
	}
	return person{}, false
}

const (
	defaultTTL   = 15 * time.Minute
	maxLoginBody = 4 << 10
)

// login answers with a token for a user.
func (s *service) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		User string  `json:"user"`
		TTL  *string `json:"ttl"`
	}
	if !readJSON(w, r, maxLoginBody, &body) {
		return
	}
	ttl := defaultTTL
	if body.TTL != nil {
		var err error
		if ttl, err = time.ParseDuration(*body.TTL); err != nil || ttl <= 0 {
			writeError(w, http.StatusBadRequest, `ttl must be a positive duration such as "15m"`)
			return
		}
	}
	p, ok := personCalled(body.User)
	if !ok {
		unauthorized(w, "unknown user")
		return
	}
	token, expires, err := s.keys.sign(p, ttl)
	if err != nil {
		s.fail(w, "sign token", err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expiresAt"`
	}{token, expires})
}

// signedIn calls next for requests with a valid token, and passes on its identity. The REST routes
// and the WebSocket handler share one verifier, so both accept the same tokens.
func (s *service) signedIn(next func(http.ResponseWriter, *http.Request, auth.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		id, err := s.verifier.Verify(ctx, bearer(r))
		var expired *auth.ExpiredError
		switch {
		case err == nil:
			next(w, r, id)
		case errors.Is(err, auth.ErrNoToken):
			unauthorized(w, "a bearer token is required")
		case errors.As(err, &expired):
			unauthorized(w, "the token has expired")
		case errors.Is(err, auth.ErrInvalidToken):
			unauthorized(w, "the token is not valid")
		default: // the verifier failed, so the token may be valid
			s.log.Warn("cannot verify tokens", "error", err)
			w.Header().Set("Retry-After", "1")
			writeError(w, http.StatusServiceUnavailable, "tokens cannot be checked at the moment")
		}
	}
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
