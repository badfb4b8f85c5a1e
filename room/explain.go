package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Explanation describes what happened to one event of a plan on the connections of one user. See
// [Hub.Explain].
type Explanation struct {
	PlanID   string            `json:"planId"`
	UserID   string            `json:"userId"`
	Position protocol.Position `json:"position"` // of the event
	End      protocol.Position `json:"end"`      // of the plan now
	Event    EventState        `json:"event"`
	At       time.Time         `json:"at,omitzero"` // of its broadcast; zero unless it is held

	// Connections has the memberships of the user's connections in the plan, the newest first.
	// Before these it has the open connections of which no membership is known. It is empty if
	// Event is EventNone or EventAhead.
	Connections []ConnectionOutcome `json:"connections"`

	// Complete reports whether the record reaches back to the event. If it does not, the user may
	// have had further memberships at the time of the event: some that had ended by RecordSince.
	Complete    bool      `json:"complete"`
	RecordSince time.Time `json:"recordSince,omitzero"` // zero if Complete
}

// EventState is what the hub knows about an event.
type EventState string

// The values of EventState.
const (
	EventHeld  EventState = "held"  // in the history
	EventGone  EventState = "gone"  // no longer in the history, or of another plan
	EventNone  EventState = "none"  // the plan has no such event
	EventAhead EventState = "ahead" // the plan has no such event yet
)

// ConnectionOutcome describes what happened to an event on one connection, in one of its
// memberships in the plan.
type ConnectionOutcome struct {
	ConnectionID string  `json:"connectionId"`
	ClientID     string  `json:"clientId"`
	Open         bool    `json:"open"` // the connection is not being closed
	Outcome      Outcome `json:"outcome"`

	// Receipt reports that the event excludes the connection, which gets a receipt in its place:
	// the Outcome is that of the receipt. False if Event is EventGone, where that is not known.
	Receipt bool `json:"receipt"`

	// Since is when the connection last fell behind (OutcomeSlow, OutcomeWriting), or when the hub
	// decided to send resync (OutcomeResynced).
	Since time.Time `json:"since,omitzero"`

	// Of the membership; zero for OutcomeNotJoined.
	JoinedAt  time.Time `json:"joinedAt,omitzero"`
	JoinedSeq uint64    `json:"joinedSeq"` // events up to it were not sent
	Recovered bool      `json:"recovered"` // the client resumed from JoinedSeq, which it had named
	Written   uint64    `json:"written"`   // the hub has dealt with all events up to it

	// Of a membership that has ended.
	LeftAt      time.Time          `json:"leftAt,omitzero"`
	LeftSeq     uint64             `json:"leftSeq"`     // the newest event of the plan at that time
	LeaveReason LeaveReason        `json:"leaveReason"` // "": the connection joined the plan again
	CloseCode   protocol.CloseCode `json:"closeCode"`   // if LeaveReason is LeaveClosed
}

// Outcome is what became of an event on a connection.
type Outcome string

// The values of Outcome. "Written" means to the socket: whether the client has received it, the hub
// cannot know.
const (
	// OutcomeWritten: the event was written.
	OutcomeWritten Outcome = "written"
	// OutcomeExcluded: the event excluded the connection, and a receipt was written. See
	// [ExceptUser] and [ExceptClient].
	OutcomeExcluded Outcome = "excluded"
	// OutcomeWriting: the event is being written, or is next. The connection may have it already.
	// If Since is set, the connection does not take what is written as fast as it comes.
	OutcomeWriting Outcome = "writing"
	// OutcomeSlow: the connection does not take what is written as fast as it comes, and the event
	// waits in the history.
	OutcomeSlow Outcome = "slow"
	// OutcomeResynced: the event, or one before it, was dropped before the connection took it. The
	// hub sent resync instead, and the client loads the plan, which has the event.
	OutcomeResynced Outcome = "resynced"
	// OutcomeNotJoined: the connection is open, but is not in the plan, and no membership of it in
	// the plan is known.
	OutcomeNotJoined Outcome = "not_joined"
	// OutcomeJoinedLater: the connection joined at a position that includes the event.
	OutcomeJoinedLater Outcome = "joined_later"
	// OutcomeLeft: the connection had left before the event was broadcast.
	OutcomeLeft Outcome = "left"
	// OutcomeUnwritten: the connection left after the event was broadcast, and before it was
	// written.
	OutcomeUnwritten Outcome = "left_unwritten"
	// OutcomeUnknown: the event was being written when the connection left or broke, or it was
	// replaced by a resync that is not remembered.
	OutcomeUnknown Outcome = "unknown"
)

// Explain answers why a user did not receive the event of a plan with that seq. It knows the
// connections that are in the plan now, and of each hub the 4,096 memberships that ended last, of
// all plans and users: about 0.8 MB and the IDs in it. Explanation.Complete says whether that
// reaches back to the event. It also works after [Hub.Shutdown].
//
// A seq belongs to this hub: the same number from before a restart of the process, or from another
// node, is another event. Errors: [ErrPlanID], [ErrUserID].
func (h *Hub) Explain(planID, userID string, seq uint64) (Explanation, error) {
	x := Explanation{PlanID: planID, UserID: userID, Position: protocol.Position{Epoch: h.timeline.current(), Seq: seq}}
	switch {
	case !protocol.ValidPlanID(planID):
		return x, ErrPlanID
	case !protocol.ValidUserID(userID):
		return x, ErrUserID
	}
	sessions := h.writtenTo(userID)
	q := question{hub: h, seq: seq}
	var live []*member
	r := h.lookup(planID)
	if r == nil {
		h.mu.RLock()
		x.End = h.timeline.position(h.timeline.current(), h.floors.of(planID))
		h.mu.RUnlock()
		x.Event = EventGone
		if seq > x.End.Seq {
			x.Event = EventAhead
		}
	} else {
		defer r.mu.Unlock()
		x.End = r.positionLocked()
		x.Event, q.event = r.log.lookup(seq)
	}
	if q.event != nil {
		x.At = h.start.Add(time.Duration(q.event.at))
	}
	if x.Event == EventNone || x.Event == EventAhead {
		x.Complete = true
		return x, nil
	}
	past, forgottenSeq, forgottenAt := h.journal.of(planID, userID)
	if x.Complete = seq > forgottenSeq; !x.Complete {
		x.RecordSince = h.start.Add(time.Duration(forgottenAt))
	}
	known := make(map[string]bool, len(past))
	for i := range past {
		known[past[i].connection] = true
	}
	open := make(map[string]bool, len(sessions))
	for _, s := range sessions {
		m, closing := s.placeIn(planID)
		open[s.id] = !closing
		switch {
		case m != nil && r != nil && m.room == r && !m.gone.Load():
			live = append(live, m)
		case !closing && !known[s.id]:
			x.Connections = append(x.Connections, ConnectionOutcome{
				ConnectionID: s.id, ClientID: s.clientID, Open: true, Outcome: OutcomeNotJoined,
			})
		}
	}
	for i := len(live) - 1; i >= 0; i-- {
		o := q.live(live[i])
		o.Open = open[o.ConnectionID]
		x.Connections = append(x.Connections, o)
	}
	for i := range past {
		o := q.past(&past[i])
		o.Open = open[o.ConnectionID]
		x.Connections = append(x.Connections, o)
	}
	return x, nil
}

// placeIn returns the connection's place in a plan, or nil, and whether the connection is ending.
func (s *Session) placeIn(planID string) (m *member, closing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memberOfLocked(planID), s.closing
}

// lookup returns what is known about the event with that seq, and the event itself if it is held.
func (l *log) lookup(seq uint64) (EventState, *entry) {
	switch {
	case seq > l.last:
		return EventAhead, nil
	case seq <= l.base:
		return EventGone, nil
	}
	i := l.events.search(func(e *entry) bool { return e.seq >= seq })
	if i == l.events.len || l.events.at(i).seq != seq {
		return EventNone, nil
	}
	return EventHeld, l.events.at(i)
}

// question is the event that Explain was called for. Its methods are called under room.mu if the
// plan has a room.
type question struct {
	hub   *Hub
	seq   uint64
	event *entry // nil: it is not held
}

func (q *question) time(clock int64) time.Time { return q.hub.start.Add(time.Duration(clock)) }

// began describes the membership of v that began as b.
func (q *question) began(v *viewer, connection string, b *beginning, recovered bool, p *progress) ConnectionOutcome {
	return ConnectionOutcome{
		ConnectionID: connection, ClientID: v.clientID, Receipt: q.event != nil && q.event.excepts(v),
		JoinedAt: q.time(b.at), JoinedSeq: b.seq, Recovered: recovered, Written: p.written,
	}
}

// live answers for a member.
func (q *question) live(m *member) ConnectionOutcome {
	p := m.progressLocked()
	o := q.began(&m.s.viewer, m.s.id, &m.begin, m.recovered, &p)
	switch {
	case q.seq <= m.begin.seq:
		o.Outcome, o.Receipt = OutcomeJoinedLater, false
	case q.seq <= p.written:
		q.written(&o, m.skipped)
	case p.slow != 0 && q.seq > p.begun:
		o.Outcome, o.Since = OutcomeSlow, q.time(int64(p.slow))
	default:
		if o.Outcome = OutcomeWriting; p.slow != 0 {
			o.Since = q.time(int64(p.slow))
		}
	}
	return o
}

// past answers for a membership that has ended.
func (q *question) past(e *ended) ConnectionOutcome {
	o := q.began(&e.viewer, e.connection, &e.begin, e.recovered, &e.progress)
	o.LeftAt, o.LeftSeq, o.LeaveReason, o.CloseCode = q.time(e.at), e.seq, e.reason, e.code
	switch {
	case q.seq <= e.begin.seq:
		o.Outcome, o.Receipt = OutcomeJoinedLater, false
	case q.seq > e.seq:
		o.Outcome, o.Receipt = OutcomeLeft, false
	case q.seq <= e.progress.written:
		q.written(&o, e.skipped)
	case q.seq <= e.progress.begun:
		o.Outcome = OutcomeUnknown
	default:
		o.Outcome = OutcomeUnwritten
	}
	return o
}

// written sets the outcome of an event that the cursor has passed.
func (q *question) written(o *ConnectionOutcome, s *skips) {
	at, resynced, unknown := s.of(q.seq)
	switch {
	case resynced:
		o.Outcome, o.Since, o.Receipt = OutcomeResynced, q.time(at), false
	case unknown:
		o.Outcome = OutcomeUnknown
	case o.Receipt:
		o.Outcome = OutcomeExcluded
	default:
		o.Outcome = OutcomeWritten
	}
}
