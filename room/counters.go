package room

import (
	"sync/atomic"

	"github.com/planrooms/planrooms/protocol"
)

// counters are what Stats counts.
type counters struct {
	connects, broadcasts, resyncs, slow, tooSlow, denied, notifiesQueued, notifiesDropped atomic.Uint64
	resumesFailed, removedUnconfirmed, evicted                                            atomic.Uint64

	// Each join is in one of these. A counter of all joins besides would be read at another moment
	// than its parts, and the difference could go down.
	recovered, notRecovered atomic.Uint64
	// Each recheck is in one of these, for the same reason.
	rechecksKept, rechecksUndecided, removedForbidden atomic.Uint64

	participants atomic.Int64

	refusals tally[RefusalReason]
	closed   tally[protocol.CloseCode]
	left     tally[LeaveReason]
}

// init prepares the counters, before the hub is used.
func (c *counters) init() {
	c.refusals = newTally(refusalReasons[:]...)
	c.closed = newTally(closeCodes[:]...)
	c.left = newTally(LeaveRequested, LeaveClosed, LeaveRevoked, LeaveForbidden, LeaveUnconfirmed)
}

// closeCodes are the codes that Stats.Closed counts separately. 0 counts all others: a peer may
// choose any code.
var closeCodes = [...]protocol.CloseCode{
	protocol.CloseNormal, protocol.CloseGoingAway, protocol.CloseProtocolError, protocol.CloseUnsupportedData,
	protocol.CloseNoStatus, protocol.CloseAbnormal, protocol.CloseInvalidPayload, protocol.CloseTooBig,
	protocol.CloseBadRequest, protocol.CloseUnauthorized, protocol.CloseForbidden, protocol.CloseTimeout,
	protocol.CloseReplaced, protocol.CloseRateLimited, protocol.CloseInternal, protocol.CloseShutdown,
	protocol.CloseTooSlow, 0,
}
