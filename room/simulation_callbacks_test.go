package room_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// fault is what Authorize does.
type fault string

const noFault fault = ""

func (s *sim) observed(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.callbacks++
	if s.over {
		s.failLocked("a callback after Shutdown:\n%s", debug.Stack())
	}
	f()
}

// I12: Join once, then Leave once.
func (s *sim) observedJoin(c room.ConnectionInfo, planID string) {
	s.observed(func() {
		m := membership{c.ID, planID}
		if _, twice := s.members[m]; twice || !s.connected[c.ID] {
			s.failLocked("Join of %v out of order", m)
		}
		s.members[m], s.ever[m] = c.UserID, true
		s.openLocked(planID)
		s.lastChange[planID] = time.Now()
	})
}

func (s *sim) observedLeave(i room.LeaveInfo) {
	c, planID := i.Connection, i.PlanID
	removed := i.Reason == room.LeaveForbidden || i.Reason == room.LeaveUnconfirmed
	s.observed(func() {
		m := membership{c.ID, planID}
		if _, in := s.members[m]; !in {
			s.failLocked("Leave of %v out of order", m)
		}
		delete(s.members, m)
		now := time.Now()
		s.lastChange[planID] = now
		at := place{planID, c.UserID}
		d, left := s.left[at]
		s.left[at] = simDeparture{
			at: now, conn: c.ID, immediate: removed || s.leaving[m] || s.revoking[at],
			// Two connections left in parallel. The calls of Leave may come in another order.
			unclear: left && !d.settled && d.conn != c.ID,
		}
	})
}

func (s *sim) authorize(ctx context.Context, id auth.Identity, planID string) error {
	s.mu.Lock()
	_, forbidden := s.forbidden[place{planID, id.UserID}]
	fault := s.fault
	s.callbacks++
	s.mu.Unlock()
	switch fault {
	case "forbidden":
		return room.ErrForbidden
	case "error":
		return errors.New("the database is away")
	case "panic":
		panic("in Authorize")
	case "hang":
		<-ctx.Done()
		return nil // too late
	}
	if forbidden {
		return fmt.Errorf("no: %w", room.ErrForbidden)
	}
	return nil
}

// verify reads a token: a user, and how long it holds.
func (s *sim) verify(_ context.Context, token string) (auth.Identity, error) {
	user, validFor, _ := strings.Cut(token, " ")
	d, err := time.ParseDuration(validFor)
	switch {
	case err != nil:
		return auth.Identity{}, auth.ErrInvalidToken
	case d == 0:
		return auth.Identity{UserID: user, Name: user}, nil
	}
	return auth.Identity{UserID: user, Name: user, ExpiresAt: time.Now().Add(d)}, nil
}
