package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// Recheck calls Options.Authorize now for all members of a plan, for example after a share link was
// deleted and the host cannot list its users. It removes each member whose access has ended: no
// event of the plan is written to it once Recheck has returned. A check that began before the call
// does not count. A join that was in flight calls Authorize again. Recheck waits for removals in
// progress by other checks, but does not count them.
//
// Authorize gets the identities of the connections, whose claims are those of the token that the
// client showed last. If the host has changed the claims since, they are stale: use [Hub.Revoke],
// or have Authorize read the database.
//
// The calls are part of those that Options.AuthorizeParallel limits. Neither broadcasts nor joins
// wait for them. The calls continue if ctx ends first: Recheck then counts the members without a
// result as undecided.
//
// While Recheck waits, it takes about 24 bytes of memory for each member without a result. So the
// number of concurrent calls of Recheck and RecheckUser, which the host decides, bounds this
// memory. Calls whose ctx has ended may double it until the members have been checked.
//
// Do not call Recheck from Authorize, which it waits for: such a call returns when ctx ends or
// Options.AuthorizeTimeout has passed, without a decision about that member. In a function of the
// Observer, call it in a new goroutine.
//
// With an engine, Recheck checks the members on all nodes and adds up the results. A node decides
// for up to four times Options.AuthorizeTimeout.
//
// Errors: [ErrPlanID], [ErrHubClosed], and [ErrUndecided] if a member could not be checked, or ctx
// ended first.
func (h *Hub) Recheck(ctx context.Context, planID string) (Rechecked, error) {
	if !protocol.ValidPlanID(planID) {
		return Rechecked{}, ErrPlanID
	}
	if h.isOver() {
		return Rechecked{}, ErrHubClosed
	}
	return h.recheck(ctx, planID, "")
}

// recheck is Recheck or, with a user, RecheckUser.
func (h *Hub) recheck(ctx context.Context, planID, userID string) (Rechecked, error) {
	if h.cluster != nil {
		counts, err := h.cluster.control(ctx, record.KindRecheck, planID, record.Control{UserID: userID}, h.recheckFor())
		return counts.rechecked(err)
	}
	q := h.beginRecheck(planID, userID)
	defer h.denials.await(planID, userID)
	return q.wait(ctx, h.ctx.Done())
}

// beginRecheck requests a check of the members of a plan or, if that is "", of those that a user
// is.
func (h *Hub) beginRecheck(planID, userID string) *inquiry {
	var members []*member
	if planID == "" {
		sessions := h.writtenTo(userID)
		h.revokeJoins(sessions)
		members = membersOf(sessions)
	} else {
		// As in Revoke: first the joins that are in flight, then the members.
		h.access.flights.revoke(planID)
		members = h.membersIn(planID)
	}
	q := newInquiry()
	for _, m := range members {
		m.recheck.request(q)
	}
	q.requested()
	return q
}

// membersIn returns the members in the room of a plan.
func (h *Hub) membersIn(planID string) []*member {
	r := h.lookup(planID)
	if r == nil {
		return nil
	}
	defer r.mu.Unlock()
	return r.membersLocked()
}

// RecheckUser is [Hub.Recheck] for one user in all plans, for example after the user has left a
// group. Each of the user's connections is checked in each of its plans. Errors: [ErrUserID],
// [ErrHubClosed], and [ErrUndecided] as for Recheck.
func (h *Hub) RecheckUser(ctx context.Context, userID string) (Rechecked, error) {
	if !protocol.ValidUserID(userID) {
		return Rechecked{}, ErrUserID
	}
	if h.isOver() {
		return Rechecked{}, ErrHubClosed
	}
	return h.recheck(ctx, "", userID)
}
