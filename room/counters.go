package room

import "sync/atomic"

// counters are what Stats counts.
type counters struct {
	connects, broadcasts, joins, recovered, resyncs, slow, tooSlow, denied, notifiesDropped atomic.Uint64
	resumesFailed, rechecks, rechecksUndecided, removedForbidden, removedUnconfirmed        atomic.Uint64
	evicted                                                                                 atomic.Uint64

	participants atomic.Int64

	refusals refusalCounters
}
