package room

import (
	"encoding/json"
	"time"
)

// What becomes of the news of a room's presence: notices in its log, and the timers that presence
// needs.

// presenceEnterLocked adds a connection to the presence.
func (r *room) presenceEnterLocked(s *Session, name string) {
	r.fillLocked()
	list := r.presence.enter(&s.viewer, name, s)
	r.listLocked(s.userID)
	r.presenceChangedLocked(list)
}

// presenceExitLocked removes a connection from the presence.
func (r *room) presenceExitLocked(s *Session, d departureManner) {
	lingers, list := r.presence.exit(&s.viewer, d)
	if d != departSilent {
		// Otherwise the node leaves the cluster. The others list its users until it is gone, for
		// those who come back on another node.
		r.listLocked(s.userID)
	}
	r.presenceChangedLocked(list)
	if lingers == nil {
		return
	}
	r.hub.lingers.add(s.userID, r)
	ts := &r.hub.timers
	ts.stop(lingers.linger)
	var t *timer
	t = ts.after(r.hub.opts.Linger, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		// The user may have come back, and left again, while this call waited for the lock: a newer
		// timer is then in lingers.linger.
		if lingers.linger == t {
			list := r.presence.lingered(lingers)
			r.listLocked(lingers.userID)
			r.presenceChangedLocked(list)
		}
		if !r.presence.lingers(lingers.userID) { // otherwise another timer is set for the user
			r.hub.lingers.remove(lingers.userID, r)
		}
	})
	lingers.linger = t // under r.mu, as the read above
}

// rename gives a user who is in the room another name.
func (r *room) rename(userID, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.presence.rename(userID, name)
	r.listLocked(userID)
	r.presenceChangedLocked(list)
}

// expel removes a user who only lingers.
func (r *room) expel(userID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.presence.expel(userID)
	r.listLocked(userID)
	r.presenceChangedLocked(list)
}

// setState sets the presence state of a connection.
func (r *room) setState(s *Session, state json.RawMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.presence.setState(&s.viewer, state)
	r.listLocked(s.userID)
	r.presenceChangedLocked(list)
}

// presenceChangedLocked appends the notices of a change of the presence, and sets the timer for the
// count.
func (r *room) presenceChangedLocked(list []news) {
	r.countPeopleLocked()
	r.appendNewsLocked(list)
	if r.presence.crowded {
		r.tickByLocked(time.Now().Add(crowdedNoticeEvery))
	}
	if r.idleLocked() {
		r.emptyLocked()
		r.touchLocked() // from now on it can be deleted
	}
}

// countPeopleLocked counts the users whom this hub lists in Stats.
func (r *room) countPeopleLocked() {
	n := r.presence.here
	r.hub.stats.participants.Add(int64(n - r.people))
	r.people = n
}

func (r *room) appendNewsLocked(list []news) {
	if r.connections == 0 {
		return
	}
	for i := range list {
		n := &list[i]
		r.appendNoticeLocked(&notice{kind: n.kind, subject: n.subject, entry: entry{payload: mustEncode(n.typ, r.id, n.data), to: n.to}})
	}
}

// tickByLocked sets the timer for the count of a crowded room, unless it fires before.
func (r *room) tickByLocked(at time.Time) {
	if r.ticking == nil {
		r.ticking = r.hub.timers.after(time.Until(at), r.tick)
	} else if r.tickAt.IsZero() || at.Before(r.tickAt) {
		r.hub.timers.reset(r.ticking, time.Until(at))
	} else {
		return
	}
	r.tickAt = at
}

// tick sends the count of a crowded room.
func (r *room) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tickAt = time.Time{}
	was := r.presence.crowded
	r.appendNewsLocked(r.presence.tick(time.Now()))
	if was && !r.presence.crowded {
		r.listAllLocked()
	}
	if at := r.presence.thins(); !at.IsZero() {
		r.tickByLocked(at)
	}
}
