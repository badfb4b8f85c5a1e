package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Observer has functions that a [Hub] calls for metrics and audit. Every function is optional.
//
// The hub calls them outside all locks and concurrently, and waits until they return, which should
// be soon. A panic in one is logged and ends the connection that it concerns (4500), and so does
// runtime.Goexit. For one connection and plan, the hub calls Join first, and Leave exactly once
// after it. Broadcast and Refused, which concern no connection, run in the goroutine of their
// caller; the others have a goroutine of their own.
type Observer struct {
	// Connect is called for a new connection, before its first message.
	Connect func(c ConnectionInfo)
	// Disconnect is called once for each Connect. The code is that of the server or of the peer;
	// 1006 means that the peer sent none.
	Disconnect func(c ConnectionInfo, code protocol.CloseCode)
	// Join is called when a connection has entered a room. recovered reports whether it resumed.
	Join func(c ConnectionInfo, planID string, recovered bool)
	// Leave is called when a connection has left a room, for whatever reason.
	Leave func(c ConnectionInfo, planID string)
	// Broadcast is called for each event that got a position. recipients counts the connections in
	// the room.
	Broadcast func(planID string, t protocol.Type, recipients int)
	// Resync is called when a connection missed events and the hub sends it resync.
	Resync func(c ConnectionInfo, planID string)
	// ResumeFailed is called after Join when a client could not resume from its position: the
	// answer to its join has recovered false, and the client loads the plan.
	ResumeFailed func(ResumeInfo)
	// Rechecked is called after each check of a member: at regular times, after a renewal of its
	// token, and when it is removed because no check was completed before its deadline. If the
	// member was removed, it is called after Leave.
	Rechecked func(RecheckInfo)
	// Slow is called when a connection's socket is full and what it misses waits in the log.
	Slow func(c ConnectionInfo)
	// Denied is called when a join was refused. err is [ErrForbidden], or why access could not be
	// checked.
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
	// ResumeOtherEpoch: the position is of another hub, or of this service before it was started
	// again.
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
	// Err is nil if the member was kept, and else the error of Authorize, or why it did not answer.
	// For a member that was removed it is [ErrForbidden], or why its access was not confirmed
	// before its deadline.
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
