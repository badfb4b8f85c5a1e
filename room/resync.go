package room

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Resync makes all clients of the plan, and those that resume later, load it again. Use it after a
// change that no event describes. So that they do not all load at once, each client waits for a
// random time before it loads: up to 10 ms per connection in the plan, and at most 10 s. With an
// engine, this holds for the clients of all nodes. Errors: [ErrPlanID], [ErrHubClosed], and those
// of the engine.
func (h *Hub) Resync(ctx context.Context, planID string) error {
	if !protocol.ValidPlanID(planID) {
		return ErrPlanID
	}
	if h.cluster != nil {
		return h.cluster.resync(ctx, planID)
	}
	r, err := h.acquire(planID)
	if err != nil {
		return err
	}
	defer r.release()
	r.resyncLocked(h.seq.Add(1))
	return nil
}

// resyncLocked makes all members load the plan, and voids the positions before seq.
func (r *room) resyncLocked(seq uint64) {
	// An event that all members miss: it takes a position, and is dropped before a member can read
	// it.
	r.log.appendEvent(entry{seq: seq})
	r.log.trim(r.log.events.len)
	r.countLocked()
	r.lastActivity = time.Now()
	r.wakeLocked()
}
