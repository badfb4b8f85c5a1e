package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

const cookieName = "host_session"

type session struct {
	user string
	ends time.Time
	ttl  time.Duration
}

type sessions struct {
	mu   sync.Mutex // guards open
	open map[string]session
}

// login starts a session for the user and with the duration in the request.
func (s *sessions) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ User, TTL string }
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&body)
	ttl := 15 * time.Minute
	if err == nil && body.TTL != "" {
		ttl, err = time.ParseDuration(body.TTL)
	}
	if err != nil || body.User == "" || ttl <= 0 {
		http.Error(w, "a user is required, and a ttl is a duration", http.StatusBadRequest)
		return
	}
	s.start(w, body.User, ttl)
}

// refresh starts another session for the user. The previous session remains valid until it expires,
// for requests in flight.
func (s *sessions) refresh(w http.ResponseWriter, r *http.Request) {
	s.required(func(w http.ResponseWriter, _ *http.Request, old session) { s.start(w, old.user, old.ttl) })(w, r)
}

func (s *sessions) start(w http.ResponseWriter, user string, ttl time.Duration) {
	id, ends := s.add(user, ttl)
	// Without Secure, since the tests use plain HTTP.
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	respond(w, map[string]int64{"expiresAt": ends.UnixMilli()})
}

func (s *sessions) add(user string, ttl time.Duration) (id string, ends time.Time) {
	id, ends = rand.Text(), time.Now().Add(ttl)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[id] = session{user: user, ends: ends, ttl: ttl}
	return id, ends
}

// token returns a token of a minute, for pages that use getToken.
func (s *sessions) token(w http.ResponseWriter, r *http.Request) {
	s.required(func(w http.ResponseWriter, _ *http.Request, old session) {
		id, ends := s.add(old.user, time.Minute)
		respond(w, map[string]any{"token": id, "expiresAt": ends.UnixMilli()})
	})(w, r)
}

// logout ends all sessions of the user, and then their connections.
func (s *sessions) logout(w http.ResponseWriter, r *http.Request, hub *room.Hub) {
	s.required(func(w http.ResponseWriter, r *http.Request, old session) {
		s.mu.Lock()
		for id, other := range s.open {
			if other.user == old.user {
				delete(s.open, id)
			}
		}
		s.mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1})
		if _, err := hub.Disconnect(r.Context(), old.user); err != nil {
			http.Error(w, "not disconnected", http.StatusServiceUnavailable)
			return
		}
		respond(w, struct{}{})
	})(w, r)
}

// required calls next for requests with a valid session.
func (s *sessions) required(next func(http.ResponseWriter, *http.Request, session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie(cookieName)
		var found session
		if err == nil {
			found, err = s.find(cookie.Value)
		}
		if err != nil {
			http.Error(w, "not logged in", http.StatusUnauthorized)
			return
		}
		next(w, r, found)
	}
}

// operator reports whether the request is of the user who may see all plans.
func (s *sessions) operator(r *http.Request) bool {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	found, err := s.find(cookie.Value)
	return err == nil && found.user == "operator"
}

// verify is the verifier of the WebSocket handler.
func (s *sessions) verify(_ context.Context, id string) (auth.Identity, error) {
	found, err := s.find(id)
	if err != nil {
		return auth.Identity{}, err
	}
	return auth.Identity{UserID: found.user, Name: found.user, ExpiresAt: found.ends}, nil
}

func (s *sessions) find(id string) (session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[id]
	switch {
	case !ok:
		return session{}, auth.ErrInvalidToken
	case !time.Now().Before(found.ends):
		return session{}, &auth.ExpiredError{At: found.ends}
	}
	return found, nil
}
