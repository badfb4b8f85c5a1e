package room

import (
	"iter"
	"sync"
)

// Constants of the package.
const (
	WalkStep      = walkStep
	GatherNotices = gatherNotices
	CrowdedFor    = crowdedFor

	MaxDisconnects = maxDisconnects
)

// SameFloor reports whether deleting the log of one of the plans voids the positions of the other.
func SameFloor(plan, other string) bool {
	var f floors
	return f.stripe(plan) == f.stripe(other)
}

// Collect is collect.
func Collect[T any](lock sync.Locker, seq iter.Seq[T]) []T { return collect(lock, seq) }

// Closing counts the connections of a user that have ended and not been forgotten.
func Closing(h *Hub, userID string) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.closing[userID])
}

// LockRoom locks the room of a plan, as a long call of that plan does, and returns its unlock.
func LockRoom(h *Hub, planID string) (unlock func()) {
	r := h.lookup(planID)
	return r.mu.Unlock
}

// LockRecheck locks the schedule of a member's checks and returns its unlock. A removal of the
// member waits for it after it has taken the member out of the room, and before it takes the member
// out of the list of its connection.
func LockRecheck(h *Hub, planID, userID string) (unlock func()) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	m := h.users[userID][0].memberOf(planID)
	m.recheck.mu.Lock()
	return m.recheck.mu.Unlock
}

// LockInbox locks the inbox of a connection and returns its unlock.
func LockInbox(s *Session) (unlock func()) {
	s.inbox.mu.Lock()
	return s.inbox.mu.Unlock
}

// LingerTimer returns the function of the timer that ends a user's linger.
func LingerTimer(h *Hub, planID, userID string) func() {
	r := h.lookup(planID)
	defer r.mu.Unlock()
	return r.presence.people[userID].linger.f
}

// Lingering counts the users for whom the hub knows where they linger.
func Lingering(h *Hub) int {
	h.lingers.mu.Lock()
	defer h.lingers.mu.Unlock()
	return len(h.lingers.index)
}

// UnjoinedTimer returns the function of the timer that deletes a room without members.
func UnjoinedTimer(h *Hub, planID string) func() {
	r := h.lookup(planID)
	defer r.mu.Unlock()
	return r.unjoined.f
}

// Disconnects counts the calls of Disconnect that the hub remembers.
func Disconnects(h *Hub) int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.disconnects.order.Len()
}

// Awaited counts the calls of Recheck that wait for a member, which is the only one of its user.
func Awaited(h *Hub, planID, userID string) (n int) {
	h.mu.RLock()
	m := h.users[userID][0].memberOf(planID)
	h.mu.RUnlock()
	m.recheck.mu.Lock()
	defer m.recheck.mu.Unlock()
	for a := m.recheck.awaited; a != nil; a = a.next {
		n++
	}
	return n
}

// Waits counts the calls such as Revoke of which the node knows.
func Waits(h *Hub) int {
	h.cluster.mu.Lock()
	defer h.cluster.mu.Unlock()
	return max(len(h.cluster.controls.waits), len(h.cluster.controls.applied))
}

// NewBacklog returns a backlog for up to n messages: add adds one, and take handles one.
func NewBacklog(n int) (add func(bytes int) bool, take func(bytes int)) {
	b := newBacklog[struct{}](n)
	return func(bytes int) bool { return b.add(struct{}{}, bytes) }, func(bytes int) { <-b.queue; b.handled(bytes) }
}
