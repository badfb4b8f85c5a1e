package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// ClosePlan ends the live side of a plan, after the plan was deleted in the database of the host.
// Each member receives removed, the history of the plan is dropped, and its positions are no longer
// valid. A join that was in flight calls Authorize again, which has to return [ErrForbidden] for a
// plan that does not exist. Once ClosePlan has returned, no event of the plan is written to the
// members that it has removed, or that a check of access was removing; it cuts connections as
// [Hub.Revoke] does.
//
// The plan ID may be used again: a later broadcast or join starts a new history.
//
// With an engine, this holds on all nodes, as [Hub.Revoke] describes.
//
// ClosePlan returns how many connections it has removed from the plan. Errors: [ErrPlanID],
// [ErrHubClosed], and with an engine those of [Hub.Revoke].
func (h *Hub) ClosePlan(ctx context.Context, planID string) (removed int, err error) {
	if !protocol.ValidPlanID(planID) {
		return 0, ErrPlanID
	}
	if h.isOver() {
		return 0, ErrHubClosed
	}
	if h.cluster != nil {
		counts, err := h.cluster.control(ctx, record.KindClosePlan, planID, record.Control{}, 0)
		return int(counts[ackRemoved]), err
	}
	return int(h.beginClosePlan(planID, h.seq.Add(1))()[ackRemoved]), nil
}

// beginClosePlan ends the history of a plan at seq, and takes its members out. The function that it
// returns does the rest.
func (h *Hub) beginClosePlan(planID string, seq uint64) (finish func() ackCounts) {
	h.access.flights.revoke(planID)
	members := h.closeRoom(planID, seq, mustEncode(protocol.TypeRemoved, planID, protocol.Removed{Reason: "plan deleted"}))
	return func() ackCounts {
		sessions := make([]*Session, len(members))
		for i, m := range members {
			m.recheck.end()
			m.s.forgetMember(m, LeaveRevoked)
			sessions[i] = m.s
		}
		fenceAll(sessions, planID)
		h.denials.await(planID, "") // those that had left the room, because a check was removing them
		for _, m := range members {
			m.out.start() // writes removed
		}
		return ackCounts{ackRemoved: uint32(len(members))}
	}
}

// closeRoom deletes the room of a plan, and makes the positions of a plan without a room invalid.
// It returns the members that were in the room. The last message about the plan is queued for them;
// the caller has to call recheck.end, Session.forgetMember and outlet.start.
func (h *Hub) closeRoom(planID string, seq uint64, last []byte) (members []*member) {
	for {
		if r := h.lookup(planID); r != nil {
			members = r.closeLocked(seq, last)
			r.mu.Unlock()
			h.remove(r)
			return members
		}
		if h.raiseFloor(planID, seq) {
			return nil
		}
	}
}

// endHistory is what a ClosePlan of before does to a plan that may be there again: no position before
// seq is valid. Members stay, and load the plan.
func (h *Hub) endHistory(planID string, seq uint64) {
	for {
		if r := h.lookup(planID); r != nil {
			if len(r.membersLocked()) > 0 {
				r.resyncLocked(seq)
				r.mu.Unlock()
				return
			}
			r.closeLocked(seq, nil)
			r.mu.Unlock()
			h.remove(r)
			return
		}
		if h.raiseFloor(planID, seq) {
			return
		}
	}
}

// raiseFloor makes the positions of a plan before seq invalid. It reports false if the plan has a
// room.
func (h *Hub) raiseFloor(planID string, seq uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.rooms[planID] != nil {
		return false
	}
	h.floors.raise(planID, seq)
	return true
}

// closeLocked deletes the room with the members that are in it, and returns them.
func (r *room) closeLocked(seq uint64, last []byte) []*member {
	members := r.membersLocked()
	for _, m := range members {
		r.exitLocked(m, LeaveRevoked)
		m.out.put(reply{payload: last}) // under the lock: before the reply to a later join
	}
	h := r.hub
	r.delistAllLocked()
	for userID, who := range r.presence.people {
		if who.linger != nil {
			h.timers.stop(who.linger)
			h.lingers.remove(userID, r)
		}
	}
	r.presence = h.newPresence() // without a notice: no member is left
	// An event that no member can read: it takes a position, so that no position before it is
	// valid.
	r.log.appendEvent(entry{seq: seq})
	r.kept = false
	r.deleteLocked()
	return members
}
