package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// A login is a session, which a cookie identifies. Scripts cannot read the cookie, and only the
// routes for logins, the token, the logout and operators use it. An access token, which the page
// keeps in memory, authenticates the other routes and the WebSocket. The cookie does not change
// with each token: two tabs that renew at once would log each other out.

const (
	sessionCookie = "taskboard_session"
	maxLoginBody  = 4 << 10
)

// access is the answer to a login or a renewal.
type access struct {
	Token     string     `json:"token"`
	ExpiresAt time.Time  `json:"expiresAt"`
	User      store.User `json:"user"`
}

func (s *service) login(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Email    string `json:"email"`
		Password string `json:"password"`
	}
	if !readJSON(w, r, maxLoginBody, &body) {
		return
	}
	email := store.NormalEmail(body.Email)
	attempt, err := s.attempts.begin(s.blockOf(r), email)
	if err != nil {
		loginRefused(w, err)
		return
	}
	defer attempt.end()
	user, hash, err := s.store.UserByEmail(r.Context(), email)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		s.fail(w, r, err)
		return
	}
	switch ok, err := s.passwords.match(r.Context(), hash, body.Password); {
	case errors.Is(err, errBusy):
		loginRefused(w, err)
		return
	case err != nil:
		s.fail(w, r, err)
		return
	case !ok:
		attempt.fail()
		writeError(w, http.StatusUnauthorized, "bad_credentials", "E-mail address or password is wrong.")
		return
	}
	attempt.succeed()
	disconnect, err := s.endSession(r) // the browser replaces its cookie now
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer func() {
		// After the answer: the other tabs of the browser connect again, and need the new cookie.
		_ = http.NewResponseController(w).Flush() // fails if the client has disconnected
		disconnect()
	}()
	session, err := s.store.CreateSession(r.Context(), user, sessionTTL)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.setCookie(w, r, session.Cookie, int(sessionTTL/time.Second))
	s.log.InfoContext(r.Context(), "login", "user", user.ID)
	s.grant(w, r, session)
}

// loginRefused answers a login whose password was not compared. The limit of an address block also
// affects people who did not guess, so its answer is 503, as for an overload.
func loginRefused(w http.ResponseWriter, err error) {
	wait := passwordWait
	var limit *limitError
	if errors.As(err, &limit) {
		wait = limit.wait
	}
	w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(wait.Seconds())))
	if limit != nil && limit.account {
		writeError(w, http.StatusTooManyRequests, "too_many_attempts",
			"Too many attempts. Try again in a few minutes.")
		return
	}
	writeError(w, http.StatusServiceUnavailable, "busy",
		"Too many people are logging in at the moment. Try again in a few seconds.")
}

// renew answers with a new token for the session of the cookie. A page calls it when it loads and
// before its token expires.
func (s *service) renew(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		writeError(w, http.StatusUnauthorized, "no_session", "Please log in.")
		return
	}
	session, err := s.store.SessionOf(r.Context(), cookie.Value)
	switch {
	case errors.Is(err, store.ErrNotFound):
		// The cookie stays: another tab may have logged in meanwhile and replaced it.
		writeError(w, http.StatusUnauthorized, "session_ended", "The session has ended. Please log in.")
	case err != nil:
		s.fail(w, r, err)
	default:
		s.grant(w, r, session)
	}
}

func (s *service) grant(w http.ResponseWriter, r *http.Request, session store.Session) {
	token, expires, err := s.tokens.sign(session)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, access{token, expires, session.User})
}

// logout ends the session of the cookie, and then its connections, in all tabs of the browser. The
// other devices of the user stay connected.
func (s *service) logout(w http.ResponseWriter, r *http.Request) {
	disconnect, err := s.endSession(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	disconnect()
	s.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

// endSession ends the session of the cookie, if there is one. Then the caller calls disconnect,
// which ends the connections of the session: those of all tabs of the browser.
func (s *service) endSession(r *http.Request) (disconnect func(), err error) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return func() {}, nil
	}
	sessionID, userID, err := s.store.EndSession(r.Context(), cookie.Value)
	if err != nil || sessionID == "" {
		return func() {}, err
	}
	return func() { s.live.disconnectSession(r, userID, sessionID) }, nil
}

// logoutEverywhere ends all sessions of the caller, and then their connections, which cannot be
// made again.
func (s *service) logoutEverywhere(w http.ResponseWriter, r *http.Request, userID string) {
	if err := s.store.EndSessions(r.Context(), userID); err != nil {
		s.fail(w, r, err)
		return
	}
	s.live.disconnect(r, userID)
	s.setCookie(w, r, "", -1)
	w.WriteHeader(http.StatusNoContent)
}

func (s *service) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name:     sessionCookie,
		Value:    value,
		Path:     "/api/",
		MaxAge:   maxAge,
		HttpOnly: true,
		SameSite: http.SameSiteStrictMode,
		Secure:   r.TLS != nil || s.config.tls(),
	})
}

// signedIn calls next with the user of a request that has a valid token. The REST routes and the
// WebSocket handler share one verifier.
func (s *service) signedIn(next func(w http.ResponseWriter, r *http.Request, userID string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
		defer cancel()
		r = r.WithContext(ctx)
		id, err := s.tokens.verifier.Verify(ctx, bearer(r))
		var expired *auth.ExpiredError
		switch {
		case err == nil:
			next(w, r, id.UserID)
		case errors.Is(err, auth.ErrNoToken):
			unauthorized(w, "no_token", "A bearer token is required.")
		case errors.As(err, &expired):
			unauthorized(w, "token_expired", "The token has expired.")
		case errors.Is(err, auth.ErrInvalidToken):
			unauthorized(w, "bad_token", "The token is not valid.")
		default: // it could not be verified now, and may be valid
			s.fail(w, r, err)
		}
	})
}

func unauthorized(w http.ResponseWriter, code, text string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="taskboard"`)
	writeError(w, http.StatusUnauthorized, code, text)
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
