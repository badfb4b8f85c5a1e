package tenure

import "slices"

// Wait is what a call that has appended a control record waits for: that each node has applied the
// record, or has a shut gate. The zero value is not valid; see [NewWait].
type Wait struct {
	seq   uint64
	epoch string
	acked []string // sorted
}

// NewWait returns the wait for a record with this seq of the log with this epoch. The caller calls
// it when it has applied that record, known by its ID. If the epoch changes, the caller appends the
// record again and begins another Wait.
func NewWait(seq uint64, epoch string) Wait { return Wait{seq: seq, epoch: epoch} }

// Acked notes that a node acknowledges the record with this seq of the log with this epoch: it has
// applied it, and writes nothing any more that the record forbids. It reports whether this is the
// first time.
func (w *Wait) Acked(name string, seq uint64, epoch string) (first bool) {
	if seq != w.seq || epoch != w.epoch {
		return false
	}
	i, ok := slices.BinarySearch(w.acked, name)
	if !ok {
		w.acked = slices.Insert(w.acked, i, name)
	}
	return !ok
}

// Over returns the nodes that have not acknowledged the record and have not ended. If there are
// none, the wait is over, and stays so. p is of the same epoch. See [Peers.Awaited].
func (w *Wait) Over(p *Peers, own string) (left []string) {
	return slices.DeleteFunc(p.Awaited(w.seq, own), func(name string) bool {
		if _, ok := slices.BinarySearch(w.acked, name); ok {
			return true
		}
		n := p.find(name)
		return n != nil && n.fenced >= w.seq
	})
}
