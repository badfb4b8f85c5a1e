package room

import (
	"context"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Revoke removes the user from the plan. Call it after the user's access has ended in the database
// of the host. Once it has returned, no event of the plan is written to any connection of the user,
// and a join that was in flight calls Authorize again. Revoke cuts a connection that has part of a
// frame of the plan written, or does not reach a frame boundary within 100 ms after the write
// began.
//
// Revoke returns how many connections it has removed from the plan: 0 where a removal was expected
// often means that the arguments were swapped. Errors: [ErrPlanID], [ErrUserID], [ErrHubClosed].
func (h *Hub) Revoke(_ context.Context, planID, userID string) (removed int, err error) {
	if !protocol.ValidPlanID(planID) {
		return 0, ErrPlanID
	}
	if !protocol.ValidUserID(userID) {
		return 0, ErrUserID
	}
	h.mu.RLock()
	closed := h.closed
	h.mu.RUnlock()
	if closed {
		return 0, ErrHubClosed
	}
	// First the joins that are in flight: one that looks under the room's lock after this sees the
	// mark, and one that has looked before is a member by the time we take that lock. A connection
	// that is accepted from now on calls Authorize after Revoke was called.
	sessions := h.writtenTo(userID)
	for _, s := range sessions {
		s.inbox.revoke(planID)
	}

	if r := h.lookup(planID); r != nil { // waits for a join that has compared it before
		r.mu.Unlock()
	}
	var members []*member
	for _, s := range sessions {
		s.mu.Lock()
		if m := s.memberOfLocked(planID); m != nil {
			members = append(members, m)
		}
		s.mu.Unlock()
	}
	// All are out before the first is waited for.
	left := members[:0]
	for _, m := range members {
		if m.s.departRemoved(m, LeaveRevoked, protocol.Removed{Reason: "access ended"}) {
			left = append(left, m)
		}
	}
	if r := h.lookup(planID); r != nil {
		r.mu.Unlock()
		r.expel(userID) // who may only linger
	}
	// All of them: one that had left the plan before, or is closing, may have a frame of it half
	// written.
	until := time.Now().Add(fenceTimeout)
	for _, s := range sessions {
		s.out.fence(planID, until)
	}
	for _, m := range left {
		m.out.start() // writes removed
	}
	return len(left), nil
}

// Disconnect closes all connections of the user with 4403, which asks the clients not to reconnect.
// Once it has returned, no event of any plan is written to these connections, and the user is not
// present in any room, unless the user has connected again: a host that locks a user out must make
// Authorize and the Verifier refuse as well.
//
// Disconnect returns how many connections it has closed. Errors: [ErrUserID], [ErrHubClosed].
func (h *Hub) Disconnect(_ context.Context, userID string) (closed int, err error) {
	if !protocol.ValidUserID(userID) {
		return 0, ErrUserID
	}
	sessions, err := h.sessionsOf(userID)
	if err != nil {
		return 0, err
	}
	for _, s := range sessions {
		if s.closeAfter(protocol.CloseForbidden, -1) {
			closed++
		}
	}
	// All of them: one that was closing before may still leave its rooms, and linger there, or have
	// a frame half written.
	sessions = h.writtenTo(userID)
	for _, s := range sessions {
		s.mu.Lock()
		members := slices.Clone(s.members)
		s.mu.Unlock()
		for _, m := range members {
			s.depart(m, departure{departNow, LeaveClosed})
		}
	}
	for _, r := range h.lingers.of(userID) {
		r.expel(userID)
	}
	until := time.Now().Add(fenceTimeout)
	for _, s := range sessions {
		s.out.fence("", until)
	}
	return closed, nil
}

// writtenTo returns the connections of a user to which something may still be written, including
// those that are closing.
func (h *Hub) writtenTo(userID string) (sessions []*Session) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closing.appendTo(slices.Clone(h.users[userID]), userID)
}

// sessionsOf returns the connections of a user.
func (h *Hub) sessionsOf(userID string) ([]*Session, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return nil, ErrHubClosed
	}
	return slices.Clone(h.users[userID]), nil
}

// UserConnections counts the connections of a user in this hub.
func (h *Hub) UserConnections(userID string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.users[userID])
}
