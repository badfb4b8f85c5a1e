package room

import "time"

// progress is how far a connection has received a plan. What is written to the socket counts as
// received.
type progress struct {
	written uint64        // the connection has all events up to this seq, or a resync instead
	begun   uint64        // of no later event has a byte been written
	slow    time.Duration // since when its own goroutine writes; see outlets.clock; 0: it does not
}
