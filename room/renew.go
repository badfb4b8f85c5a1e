package room

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// errVerifying refuses a token while an earlier call of the verifier has not returned.
var errVerifying = errors.New("room: an earlier call of the verifier has not returned")

// authenticate replaces the identity by that of a new token of the same user and session, moves the
// expiry, and requests a check of each member's access.
func (s *Session) authenticate(req *protocol.Request) {
	h := s.hub
	now := time.Now()
	s.mu.Lock()
	tooSoon := !s.renewed.IsZero() && now.Sub(s.renewed) < authenticateEvery
	if !tooSoon {
		s.renewed = now
	}
	s.mu.Unlock()
	if tooSoon {
		s.fail("", req.Type, protocol.ErrorRateLimited)
		return
	}
	id, err := s.verify(req.Token)
	var expired *auth.ExpiredError
	switch {
	case err == nil:
	case errors.Is(err, auth.ErrInvalidToken), errors.Is(err, auth.ErrNoToken), errors.As(err, &expired):
		s.fail("", req.Type, protocol.ErrorBadToken)
		return
	default:
		h.logs.warn("renewal", errorKind(err), "room: verifier unavailable", "connection", s.id, "user", s.userID, "error", err)
		s.fail("", req.Type, protocol.ErrorUnavailable)
		if errors.Is(err, errPanicked) {
			s.Close(protocol.CloseInternal)
		}
		return
	}
	if id.UserID != s.userID || id.SessionID != s.sessionID() || !id.ExpiresAt.IsZero() && !time.Now().Before(id.ExpiresAt) {
		s.fail("", req.Type, protocol.ErrorBadToken)
		return
	}
	id.Name = clipName(id.Name)
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	s.identity = id
	s.renewals++
	members := slices.Clone(s.members)
	s.setTimerLocked()
	s.mu.Unlock()
	data := protocol.Authenticated{Success: true}
	if !id.ExpiresAt.IsZero() {
		data.ExpiresAt = &protocol.Timestamp{Time: id.ExpiresAt}
	}
	s.reply("", req.Type, data)
	for _, m := range members {
		m.room.rename(s.userID, id.Name)
	}
	for _, m := range members {
		m.recheck.now()
	}
}

// verify calls the verifier. It does not wait for a call longer than AuthorizeTimeout. Until such a
// call returns, the connection cannot make another.
func (s *Session) verify(token string) (id auth.Identity, err error) {
	if s.verifier == nil {
		return auth.Identity{}, auth.ErrInvalidToken
	}
	if s.verifying.Swap(true) {
		return auth.Identity{}, errVerifying
	}
	type result struct{ id auth.Identity }
	got := make(chan result, 1) // not a variable: an abandoned call must not race with the return
	err = s.hub.guard.within(func(ctx context.Context) error {
		defer s.verifying.Store(false)
		id, err := s.verifier.Verify(ctx, token)
		got <- result{id}
		return err
	})
	if err == nil {
		id = (<-got).id
	}
	return id, err
}
