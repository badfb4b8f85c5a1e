package room

import "github.com/planrooms/planrooms/protocol"

// Stats are numbers for gauges and counters. Module room/metrics exports them to Prometheus and
// OpenTelemetry.
type Stats struct {
	Connections  int // open now
	Users        int // with an open connection now
	Rooms        int // held now, empty ones too
	Participants int // users in rooms now, lingering ones included; one in two rooms counts twice
	HistoryBytes int // of the history of all rooms now, as Options.HistoryTotal counts it

	// Closing is the number of connections that are being closed and to which something may still
	// be written. Together with ShuttingDown it shows how far Shutdown has got.
	Closing      int
	ShuttingDown bool // Shutdown was called

	AuthorizeRunning int // calls of Authorize that run now
	AuthorizeOverdue int // calls of Authorize that have not returned after AuthorizeTimeout
	JoinsWaiting     int // joins that wait for a call of Authorize; see Options.AuthorizeParallel
	RechecksWaiting  int // rechecks that are due and wait for a call of Authorize

	// Counted since the hub was made. No counter ever decreases, nor does the difference of a
	// counter and its parts: Joins less Recovered; Rechecks less RechecksUndecided and
	// RemovedForbidden.
	Connects   uint64 // connections accepted
	Broadcasts uint64 // events that got a position
	Joins      uint64
	Recovered  uint64 // joins that resumed
	Resyncs    uint64 // times that the hub sent resync to a connection that missed events
	Slow       uint64 // times that a full socket left a frame half written
	TooSlow    uint64 // connections closed for being too slow (4508)
	Denied     uint64 // joins refused

	// NotifiesQueued and NotifiesDropped count the events of Notify, once for each connection of
	// the user: those that were queued, and those that were not, because too much waited to be
	// written to the connection.
	NotifiesQueued, NotifiesDropped uint64

	// Closed counts the connections that have ended, by the close code of the server or of the
	// peer. 0 counts all codes that package protocol does not define, since a peer may choose
	// any. A code that has not occurred is missing.
	Closed map[protocol.CloseCode]uint64

	// Left counts how often a connection has left a room, by reason. A reason that has not occurred
	// is missing.
	Left map[LeaveReason]uint64

	// Refused counts the requests that transports did not serve, by reason. A reason that has not
	// occurred is missing.
	Refused map[RefusalReason]uint64

	Evicted       uint64 // events dropped because of Options.HistoryTotal
	ResumesFailed uint64 // joins that could not resume: the client loads the plan

	Rechecks           uint64 // checks of members made: at regular times, after a renewal, for Recheck
	RechecksUndecided  uint64 // of these, those in which Authorize failed or did not return in time
	RemovedForbidden   uint64 // members removed because a recheck returned ErrForbidden or ErrUnauthenticated
	RemovedUnconfirmed uint64 // members removed because no recheck was completed in time
}

// Stats returns the numbers of this moment.
func (h *Hub) Stats() Stats {
	h.mu.RLock()
	s := Stats{Connections: len(h.sessions), Users: len(h.users), Rooms: len(h.rooms)}
	s.Closing, s.ShuttingDown = h.closing.count(), h.closed
	h.mu.RUnlock()
	s.Participants, s.Evicted = int(h.stats.participants.Load()), h.stats.evicted.Load()
	s.HistoryBytes = int(h.budget.held.Load())
	c := &h.stats
	s.Connects, s.Broadcasts, s.Recovered = c.connects.Load(), c.broadcasts.Load(), c.recovered.Load()
	s.Joins = s.Recovered + c.notRecovered.Load()
	s.Resyncs, s.Slow, s.TooSlow, s.Denied = c.resyncs.Load(), c.slow.Load(), c.tooSlow.Load(), c.denied.Load()
	s.NotifiesQueued, s.NotifiesDropped = c.notifiesQueued.Load(), c.notifiesDropped.Load()
	s.Refused, s.Closed, s.Left = c.refusals.load(), c.closed.load(), c.left.load()
	s.ResumesFailed, s.RemovedUnconfirmed = c.resumesFailed.Load(), c.removedUnconfirmed.Load()
	s.RechecksUndecided, s.RemovedForbidden = c.rechecksUndecided.Load(), c.removedForbidden.Load()
	s.Rechecks = c.rechecksKept.Load() + s.RechecksUndecided + s.RemovedForbidden
	a := h.access.slots.stats()
	s.AuthorizeRunning, s.AuthorizeOverdue, s.JoinsWaiting, s.RechecksWaiting = a.running, a.overdue, a.joins, a.checks
	return s
}
