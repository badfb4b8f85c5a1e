package tenure

// List is what a beat of this node has returned: the notes of all nodes.
type List struct {
	// Asked and Answered are the times, by the monotonic clock, before the beat was sent and after
	// its answer arrived.
	Asked, Answered int64
	// Complete reports whether the list shows the newest note of this node itself. If not, it comes
	// from a store that lags, and shows only what nodes said at some time in the past.
	Complete bool
	// Judge reports whether this node has a tenure.
	Judge bool
	// Nodes are the notes, in any order, with that of this node.
	Nodes []Listed
}

// Listed is the note of one node.
type Listed struct {
	Name      string
	Number    uint64 // of notes that the node has stored
	Tenure    uint64 // Own.Number of the node; 0: none yet
	Shut      bool   // the tenure has ended
	Silent    bool   // the node shuts down and writes nothing any more
	Fenced    uint64 // the node has applied and fenced all control records up to this seq
	SameEpoch bool   // the note was written in the epoch of this node: Fenced counts
}
