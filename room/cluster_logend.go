package room

// How a node finds that the log has lost records which it has not read. Those that it has read, the
// engine compares with the log. Of the others the node knows their seqs alone, from beats: the
// log has lost them if it ends before the last of them.
//
// A new leader of the engine's servers may say so for a moment although it has all records. What is
// then in the log behind its end is the same as before, so Last returns in one step. If Last grows
// instead, but does not reach what it was, the log has given seqs twice: that does not become
// undone when Last has passed the old one. Another node may have read what is lost: it begins an
// epoch, which ends the search. Otherwise, this node does.

// regrown is how long a node waits for the epoch of another one when the log has lost records and
// has got others. A node that has read them notices the loss with its next beat.
const regrown = 3 * beatEvery

// logEnd is what a node knows of the end of the log in the current epoch. Guarded by cluster.mu.
type logEnd struct {
	seen  uint64 // the log has had a record with this seq
	last  uint64 // Last of the last list, if the log is short
	since int64  // when a list has first shown that the log is short, that it ends before seen; 0: it is not
	grown bool   // a list has shown further records since
}

// short reports whether the log seems to have lost records. Until that is certain, a node that has
// no tenure begins none: calls of Disconnect may have returned whose records are lost, and it has
// not applied them.
func (e *logEnd) short() bool { return e.since != 0 }

// listed takes Last of a list of notes that was answered at now. It reports whether the log has
// lost records.
func (e *logEnd) listed(last uint64, now int64) (lost bool) {
	switch {
	case last >= e.seen && !e.grown:
		*e = logEnd{seen: last}
		return false
	case e.since == 0:
		e.since = now
	case last > e.last:
		e.grown = true
	}
	e.last = last
	patience := nodeTTL
	if e.grown {
		patience = regrown
	}
	return now-e.since >= int64(patience)
}
