package room

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// What the records of a cluster do to the rooms and connections of this hub.

// replica is what a cluster does to the rooms and connections of its hub. The cluster calls the
// methods for records in the order of the log, one at a time, and holds no lock.
type replica interface {
	// applyEvent appends an event to the history of a plan. replay is whether the log held the
	// record already when the node opened it.
	applyEvent(plan string, e *record.Event, seq uint64, replay bool)
	// applyResync makes all clients of a plan load it. plan "" means all plans.
	applyResync(plan string, seq uint64)
	// begin applies a record that ends access: members lose it, and joins in flight call Authorize
	// again. In a replay, members do not lose it: reset has come before, so Authorize decides.
	// finish does the work that takes longer, such as to wait for sockets and for Authorize, and
	// returns the counts of this hub; nil if there is none. It is called once, beside the log.
	begin(kind record.Kind, plan string, x *record.Control, seq uint64, replay bool) (finish func() ackCounts)
	// recheckAll follows a record that cannot be applied and may have ended access to a plan or, if
	// plan is "", to any. It checks the access of all members. finish is as for begin.
	recheckAll(plan string) (finish func() ackCounts)
	// adopt names the epoch of the histories.
	adopt(epoch string)
	// reset drops all histories: the log continues behind floor in another epoch, or has lost what
	// is before. Nothing is written to a member until Authorize has allowed it again.
	reset(epoch string, floor uint64)
	// endWrites is called when the gate has shut before its time. It returns when no write is under
	// way of what belongs to plans, and cuts connections that do not take it within fenceTimeout.
	endWrites()
	// reconnect is called if this node may have missed a Disconnect. The function that it returns
	// closes the connections that are open now: the clients connect again, and their credentials
	// are verified.
	reconnect() (finish func())
	// notify is Notify for the connections of this hub.
	notify(n *record.Notify)
	// scatter closes all connections, since the node cannot serve them. The clients connect again
	// within spread.
	scatter(spread time.Duration)
}

var _ replica = (*Hub)(nil)

// applyEvent implements [replica].
func (h *Hub) applyEvent(plan string, e *record.Event, seq uint64, replay bool) {
	if !protocol.ValidPlanID(plan) {
		return
	}
	r, err := h.acquire(plan)
	if err != nil {
		return // Shutdown has begun: the clients receive the event on another node
	}
	now := h.clock()
	n := entry{seq: seq, at: now, to: audienceFrom(e)}
	if replay {
		// As old as it is, so that the history does not keep it for longer than others do; and not
		// older than the one before.
		n.at = min(now, max(h.clockAt(e.At), r.log.newestAt()))
	}
	encoded := protocol.EncodedFrom(e.Encoded)
	n.payload = encoded.Splice(seq, r.log.last)
	r.log.appendEvent(n)
	r.lastActivity = time.Now()
	r.appendedLocked()
	r.release()
}

// newestAt is when the newest event was appended. Without one it is before all times.
func (l *log) newestAt() int64 {
	if l.events.len == 0 {
		return math.MinInt64
	}
	return l.events.at(l.events.len - 1).at
}

// audienceFrom returns the audience of an event of the log; nil if that is all members.
func audienceFrom(e *record.Event) *audience {
	if len(e.Except) == 0 {
		return nil
	}
	to := &audience{by: e.By, mutationID: e.MutationID, version: e.Version, at: e.At}
	for _, x := range e.Except {
		to.add(exclusion{userID: x.UserID, clientID: x.ClientID})
	}
	return to
}

// exclusions is the part of an audience that a record contains.
func (a *audience) exclusions() (list []record.Exclusion) {
	if a == nil {
		return nil
	}
	for _, x := range append([]exclusion{a.except}, a.more...) {
		list = append(list, record.Exclusion{UserID: x.userID, ClientID: x.clientID})
	}
	return list
}

// applyResync implements [replica].
func (h *Hub) applyResync(plan string, seq uint64) {
	if plan != "" {
		if r, err := h.acquire(plan); err == nil {
			r.resyncLocked(seq)
			r.release()
		}
		return
	}
	h.mu.Lock()
	h.floors.raiseAll(seq)
	h.mu.Unlock()
	for _, r := range collect(h.mu.RLocker(), maps.Values(h.rooms)) {
		if r.lockLive() {
			r.resyncLocked(seq)
			r.mu.Unlock()
		}
	}
}

// adopt implements [replica].
func (h *Hub) adopt(epoch string) {
	h.timeline.epoch.Store(&epoch)
	for _, r := range collect(h.mu.RLocker(), maps.Values(h.rooms)) {
		r.mu.Lock()
		r.epoch = epoch
		r.mu.Unlock()
	}
}

// reset implements [replica].
func (h *Hub) reset(epoch string, floor uint64) {
	h.mu.Lock()
	h.timeline.epoch.Store(&epoch)
	h.timeline.applied.Store(floor)
	h.floors.reset(floor)
	h.mu.Unlock()
	h.access.flights.revokeAll()
	for _, r := range collect(h.mu.RLocker(), maps.Values(h.rooms)) {
		r.mu.Lock()
		members, unanswered := r.resetLocked(epoch, floor)
		r.mu.Unlock()
		for _, m := range members {
			m.recheck.now()
		}
		for _, m := range unanswered {
			h.wg.Go(func() { m.s.unanswered(m) })
		}
	}
}

// resetLocked empties the history. It returns the members, to which nothing is written before their
// access is confirmed, and those whose joins have not been answered.
func (r *room) resetLocked(epoch string, floor uint64) (members, unanswered []*member) {
	r.epoch = epoch
	r.log.restart(floor)
	r.countLocked()
	for _, m := range r.membersLocked() {
		m.resets++
		m.unconfirmed = true
		r.lagsLocked(&m.follower, m.shard.passed) // keeps the notices that it has not received
		if m.out.suspend(&m.subscription) {
			unanswered = append(unanswered, m)
		} else {
			members = append(members, m)
		}
	}
	return members, unanswered
}

// endWrites implements [replica].
func (h *Hub) endWrites() {
	h.mu.RLock()
	sessions := slices.Collect(maps.Keys(h.sessions))
	for userID := range h.closing {
		sessions = h.closing.appendTo(sessions, userID)
	}
	h.mu.RUnlock()
	until := time.Now().Add(fenceTimeout)
	for _, s := range sessions {
		s.out.endWrite(until)
	}
}

// reconnectSpread is the time in which the clients of a node connect again after reconnect.
const reconnectSpread = 10 * time.Second

// reconnect implements [replica]. Authorize cannot tell whether the login of a connection has
// ended: the user may still see the plan.
func (h *Hub) reconnect() (finish func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.disconnects.forget()
	sessions := slices.Collect(maps.Keys(h.sessions))
	return func() {
		closeWithin(sessions, reconnectSpread)
		fenceAll(sessions, "")
	}
}

// closeWithin closes connections with goodbye. The times that it gives the clients to connect again
// are spread over a duration.
func closeWithin(sessions []*Session, spread time.Duration) {
	for i, s := range sessions {
		s.closeAfter(protocol.CloseShutdown, spread*time.Duration(i)/time.Duration(len(sessions)))
	}
}

// unanswered refuses the join of a member that was not answered before the history was dropped. The
// client repeats it.
func (s *Session) unanswered(m *member) {
	if s.depart(m, departure{departLinger, LeaveUnconfirmed}) {
		s.fail(m.plan, protocol.TypeJoinPlan, protocol.ErrorUnavailable)
	}
}

// confirmed implements [subject]: after a reset, the member gets resync, and then events again.
func (m *member) confirmed(resets uint16) {
	m.room.mu.Lock()
	ok := m.unconfirmed && resets == m.resets && !m.gone.Load()
	if ok {
		m.unconfirmed = false
		m.out.unsuspend(&m.subscription)
	}
	m.room.mu.Unlock()
	if ok {
		m.out.start()
	}
}

// begin implements [replica].
func (h *Hub) begin(kind record.Kind, plan string, x *record.Control, seq uint64, replay bool) (finish func() ackCounts) {
	switch kind {
	case record.KindRevoke:
		if replay { // the user may have access again
			h.revokeJoinsOf(plan, x.UserID)
			return nil
		}
		return h.beginRevoke(plan, x.UserID)
	case record.KindDisconnect:
		// What is replayed happened before the node was started, or while it could not read the
		// log. A connection that is here may have been opened since: it may connect again.
		o := &DisconnectOption{session: x.SessionID, onlySession: x.OnlySession, signInAgain: x.SignInAgain || replay, replay: replay}
		return h.beginDisconnect(x.UserID, o)
	case record.KindRecheck:
		return h.resultsOf(h.beginRecheck(plan, x.UserID), plan, x.UserID)
	case record.KindClosePlan:
		if replay { // the plan may be there again
			h.access.flights.revoke(plan)
			h.endHistory(plan, seq)
			return nil
		}
		return h.beginClosePlan(plan, seq)
	}
	return nil
}

// recheckAll implements [replica].
func (h *Hub) recheckAll(plan string) (finish func() ackCounts) {
	var members []*member
	if plan != "" {
		h.access.flights.revoke(plan)
		members = h.membersIn(plan)
	} else {
		h.access.flights.revokeAll()
		for _, r := range collect(h.mu.RLocker(), maps.Values(h.rooms)) {
			members = append(members, h.membersIn(r.id)...)
		}
	}
	q := newInquiry()
	for _, m := range members {
		m.recheck.request(q)
	}
	q.requested()
	return h.resultsOf(q, plan, "")
}

// recheckFor is how long a node of a cluster waits for the results of a recheck.
func (h *Hub) recheckFor() time.Duration { return 4 * h.opts.AuthorizeTimeout }

// resultsOf returns a function that waits for the results of q, whose members are those of a plan
// or a user; "" means any.
func (h *Hub) resultsOf(q *inquiry, planID, userID string) func() ackCounts {
	return func() ackCounts {
		ctx, cancel := context.WithTimeout(h.ctx, h.recheckFor())
		defer cancel()
		defer h.denials.await(planID, userID)
		r, _ := q.wait(ctx, h.ctx.Done()) // the counts say it all
		return r.counts()
	}
}

// notify implements [replica].
func (h *Hub) notify(n *record.Notify) {
	_, _ = h.notifyHere(context.Background(), n.UserID, n.Type, n.Payload)
}

// scatter implements [replica].
func (h *Hub) scatter(spread time.Duration) {
	sessions := collect(h.mu.RLocker(), maps.Keys(h.sessions))
	h.wg.Go(func() { closeWithin(sessions, spread) })
}
