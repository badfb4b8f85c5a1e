package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Observer is told what happens in a [Hub], for metrics and audit. Every function is optional.
//
// The functions run outside all locks, in the goroutine in which the thing happened, and several at once: they should
// return soon. A panic in one ends the connection it was about (4500) and is logged. For one connection and plan,
// Join comes first and Leave exactly once after it.
type Observer struct {
	// Connect is called for a new connection, before its first message.
	Connect func(c ConnectionInfo)
	// Disconnect is called once for each Connect; the code is the server's own or the peer's (1006: none came).
	Disconnect func(c ConnectionInfo, code protocol.CloseCode)
	// Join is called when a connection entered a room; recovered tells whether it resumed where it was.
	Join func(c ConnectionInfo, planID string, recovered bool)
	// Leave is called when a connection is no longer in a room, for whatever reason.
	Leave func(c ConnectionInfo, planID string)
	// Broadcast is called for each event that got its position; recipients counts the connections in the room.
	Broadcast func(planID string, t protocol.Type, recipients int)
	// Resync is called when a connection missed events and was told to reload.
	Resync func(c ConnectionInfo, planID string)
	// ResumeFailed is called when a client asked to resume from a position that could not be honoured: its join was
	// answered as a first one, and it loads the plan. It is called after Join.
	ResumeFailed func(ResumeInfo)
	// Rechecked is called after each check of a member: at regular times, after a renewal of its token, and when it is
	// removed because no check could be completed before its deadline. It is called after Leave, if the member was removed.
	Rechecked func(RecheckInfo)
	// Slow is called when a connection's socket is full and what it misses waits in the log.
	Slow func(c ConnectionInfo)
	// Denied is called when a join was refused: [ErrForbidden], or why Authorize could not tell.
	Denied func(c ConnectionInfo, planID string, err error)
	// Refused is called for each request that a transport did not serve, before the answer is
	// written. See [Hub.ReportRefusal].
	Refused func(r RefusalInfo)
}

// ConnectionInfo names a connection.
type ConnectionInfo struct {
	ID          string
	ClientID    string
	UserID      string
	RemoteAddr  string // as the transport gave it
	ConnectedAt time.Time
}

// ResumeInfo describes a join that could not resume. Fields may be added.
type ResumeInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Since      protocol.Position // what the client asked for
	Position   protocol.Position // the end of the room's history, where the client goes on
	Reason     ResumeReason
}

// ResumeReason is why a client could not resume.
type ResumeReason string

// The values of ResumeReason.
const (
	// ResumeOtherEpoch: the position is of another hub, or of this service before it was started again.
	ResumeOtherEpoch ResumeReason = "other epoch"
	// ResumeTooOld: the history does not reach back so far, or has been evicted.
	ResumeTooOld ResumeReason = "too old"
	// ResumeAhead: the position is beyond the end.
	ResumeAhead ResumeReason = "ahead"
)

// RecheckInfo describes one check of a member's access. Fields may be added.
type RecheckInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Result     RecheckResult
	// Err is what Authorize returned, or why there is no answer; nil if the member was kept. If a member was removed, it is
	// [ErrForbidden], or else what has kept its access from being confirmed before the deadline.
	Err error
}

// RecheckResult is what a check of a member's access has led to.
type RecheckResult string

// The values of RecheckResult.
const (
	RecheckKept      RecheckResult = "kept"
	RecheckRemoved   RecheckResult = "removed"
	RecheckUndecided RecheckResult = "undecided" // the member stays, and is checked again
)

// rechecked tells the observer of a check.
func (h *Hub) rechecked(m *member, result RecheckResult, err error) {
	if f := h.opts.Observer.Rechecked; f != nil {
		h.observe(m.s, func() { f(RecheckInfo{Connection: m.s.Info(), PlanID: m.room.id, Result: result, Err: err}) })
	}
}

// observe calls f, a function of the Observer that concerns s, or no connection if s is nil. A panic
// of f closes s.
func (h *Hub) observe(s *Session, f func()) {
	if !h.call(s, f) && s != nil {
		s.Close(protocol.CloseInternal)
	}
}

// call calls f as observe does, and reports whether it returned without a panic.
func (h *Hub) call(s *Session, f func()) (ok bool) {
	if s != nil {
		s.callbacks.Add(1)
		defer func() {
			s.callbacks.Add(-1)
			h.returned.Add(1)
		}()
	}
	defer func() {
		if v := recover(); v != nil {
			h.opts.Logger.Error("room: observer panicked", panicAttrs(v)...)
		}
	}()
	f()
	return true
}
