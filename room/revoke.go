package room

import (
	"context"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// accessEnded is the reason of removed for a member whose access has ended.
const accessEnded = "access ended"

// Revoke removes the user from the plan. Call it after the user's access has ended in the database
// of the host. Once it has returned, no event of the plan is written to any connection of the user,
// and a join that was in flight calls Authorize again. Revoke cuts a connection that has part of a
// frame of the plan written, or does not reach a frame boundary within 100 ms after the write
// began. A ctx that has ended does not stop it, so pass that of the request.
//
// With an engine, Revoke returns when this holds on all nodes. That takes milliseconds, and longer
// if a node has died or the engine does not answer: CLUSTER.md, in the section What can be slow, has
// the times. If ctx ends before, the error says how many nodes have not answered; Revoke takes
// effect on them nevertheless. After [ErrUncertain], [ErrNotReady] and other errors of the engine
// the access may not have ended: call Revoke again.
//
// Revoke returns how many connections it has removed from the plan: 0 where a removal was expected
// often means that the arguments were swapped. Errors: [ErrPlanID], [ErrUserID], [ErrHubClosed],
// and with an engine its errors and that of ctx.
func (h *Hub) Revoke(ctx context.Context, planID, userID string) (removed int, err error) {
	if !protocol.ValidPlanID(planID) {
		return 0, ErrPlanID
	}
	if !protocol.ValidUserID(userID) {
		return 0, ErrUserID
	}
	return h.revoke(ctx, planID, userID)
}

// revoke is Revoke or, without a plan, RevokeUser.
func (h *Hub) revoke(ctx context.Context, planID, userID string) (removed int, err error) {
	if h.isOver() {
		return 0, ErrHubClosed
	}
	if h.cluster != nil {
		counts, err := h.cluster.control(ctx, record.KindRevoke, planID, record.Control{UserID: userID}, 0)
		return int(counts[ackRemoved]), err
	}
	return int(h.beginRevoke(planID, userID)()[ackRemoved]), nil
}

// beginRevoke marks the joins of the user that are in flight, in the plan or, if that is "", in all
// plans. The function that it returns removes the members that the user is.
func (h *Hub) beginRevoke(planID, userID string) (finish func() ackCounts) {
	if planID == "" {
		return h.beginRevokeUser(userID)
	}
	sessions := h.revokeJoinsOf(planID, userID)
	var members []*member
	for _, s := range sessions {
		if m := s.memberOf(planID); m != nil {
			members = append(members, m)
		}
	}
	return func() ackCounts {
		left := departAll(members)
		if r := h.lookup(planID); r != nil {
			r.mu.Unlock()
			r.expel(userID) // if the user only lingers
		}
		fenceAll(sessions, planID)
		for _, m := range left {
			m.out.start() // writes removed
		}
		return ackCounts{ackRemoved: uint32(len(left))}
	}
}

// RevokeUser is [Hub.Revoke] for all plans of the user, for example after the user has left the
// organization. The connections stay open, and joins call Authorize as usual. It takes as long as
// one Revoke, however many plans the user is in. It returns how many places in plans it has ended:
// a connection in three plans counts three times. Errors: [ErrUserID], [ErrHubClosed],
// and with an engine those of Revoke.
func (h *Hub) RevokeUser(ctx context.Context, userID string) (removed int, err error) {
	if !protocol.ValidUserID(userID) {
		return 0, ErrUserID
	}
	return h.revoke(ctx, "", userID)
}

// beginRevokeUser is beginRevoke for all plans.
func (h *Hub) beginRevokeUser(userID string) (finish func() ackCounts) {
	sessions := h.revokeJoinsOf("", userID)
	members := membersOf(sessions)
	return func() ackCounts {
		left := departAll(members)
		for _, r := range h.lingers.of(userID) {
			r.expel(userID)
		}
		fenceAll(sessions, "")
		for _, m := range left {
			m.out.start()
		}
		return ackCounts{ackRemoved: uint32(len(left))}
	}
}

// revokeJoinsOf marks the joins of the user that are in flight, in the plan or, if that is "", in all
// plans. It returns the connections of the user.
func (h *Hub) revokeJoinsOf(planID, userID string) (sessions []*Session) {
	sessions = h.writtenTo(userID)
	if planID == "" {
		h.revokeJoins(sessions)
		return sessions
	}
	// A join that looks under the room's lock after this sees the mark, and one that has looked
	// before is a member by the time we take that lock. A connection that is accepted from now on
	// calls Authorize after Revoke was called.
	for _, s := range sessions {
		s.inbox.revoke(planID)
	}
	h.passRoom(planID)
	return sessions
}

// revokeJoins marks the joins of these connections that are in flight: Authorize is called again
// for them. When it returns, those that entered their room without seeing the mark are members.
func (h *Hub) revokeJoins(sessions []*Session) {
	plans := make(map[string]struct{})
	for _, s := range sessions {
		s.inbox.revokeAll(plans)
	}
	for planID := range plans {
		h.passRoom(planID)
	}
}

// passRoom waits for the call that holds the lock of the room of a plan, if there is one.
func (h *Hub) passRoom(planID string) {
	if r := h.lookup(planID); r != nil {
		r.mu.Unlock()
	}
}

// departAll takes members out of their rooms, and returns those that were in. The caller has to
// call fenceAll, and then outlet.start for each of them, which writes removed.
func departAll(members []*member) (left []*member) {
	left = members[:0]
	for _, m := range members {
		if m.s.departRemoved(m, LeaveRevoked, protocol.Removed{Reason: accessEnded}) {
			left = append(left, m)
		}
	}
	return left
}

// fenceAll ensures that nothing of a plan that they have left is written to the connections after
// it returns; "" means every plan. They include those that have left the plan before or are
// closing, which may have a frame of it half written. All are out of the plan before fenceAll waits
// for the first.
func fenceAll(sessions []*Session, planID string) {
	until := time.Now().Add(fenceTimeout)
	for _, s := range sessions {
		s.out.fence(planID, until)
	}
}

// membersOf returns all members that the connections are.
func membersOf(sessions []*Session) (members []*member) {
	for _, s := range sessions {
		s.mu.Lock()
		members = append(members, s.members...)
		s.mu.Unlock()
	}
	return members
}

// writtenTo returns the connections of a user to which something may still be written, including
// those that are closing.
func (h *Hub) writtenTo(userID string) (sessions []*Session) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closing.appendTo(slices.Clone(h.users[userID]), userID)
}
