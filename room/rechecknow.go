package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
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
// Errors: [ErrPlanID], [ErrHubClosed], and [ErrUndecided] if a member could not be checked, or ctx
// ended first.
func (h *Hub) Recheck(ctx context.Context, planID string) (Rechecked, error) {
	if !protocol.ValidPlanID(planID) {
		return Rechecked{}, ErrPlanID
	}
	if h.isClosed() {
		return Rechecked{}, ErrHubClosed
	}
	// As in Revoke: first the joins that are in flight, then the members.
	h.access.flights.revoke(planID)
	var followers []*follower
	if r := h.lookup(planID); r != nil {
		followers = r.followersLocked()
		r.mu.Unlock()
	}
	q := newInquiry()
	for _, f := range followers {
		f.source.(*member).recheck.request(q)
	}
	q.requested()
	defer h.denials.await(planID, "")
	return q.wait(ctx, h.ctx.Done())
}

// RecheckUser is [Hub.Recheck] for one user in all plans, for example after the user has left a
// group. Each of the user's connections is checked in each of its plans. Errors: [ErrUserID],
// [ErrHubClosed], and [ErrUndecided] as for Recheck.
func (h *Hub) RecheckUser(ctx context.Context, userID string) (Rechecked, error) {
	if !protocol.ValidUserID(userID) {
		return Rechecked{}, ErrUserID
	}
	sessions, err := h.sessionsOf(userID)
	if err != nil {
		return Rechecked{}, err
	}
	h.revokeJoins(sessions)
	q := newInquiry()
	for _, m := range membersOf(sessions) {
		m.recheck.request(q)
	}
	q.requested()
	defer h.denials.await("", userID)
	return q.wait(ctx, h.ctx.Done())
}
