package room

import "fmt"

// ackCounts says what a node has done for a record that ends access, or several nodes together. It
// is record.Ack.Counts.
type ackCounts [4]uint32

// The indexes of ackCounts.
const (
	ackRemoved   = iota // members removed, or connections closed
	ackKept             // members that Authorize has allowed
	ackUndecided        // members whose access could not be checked
)

// add adds what another node has done.
func (a *ackCounts) add(b ackCounts) {
	for i, n := range b {
		a[i] += n
	}
}

// rechecked returns the result of Recheck for the counts of all nodes.
func (a *ackCounts) rechecked(err error) (Rechecked, error) {
	r := Rechecked{Kept: int(a[ackKept]), Removed: int(a[ackRemoved]), Undecided: int(a[ackUndecided])}
	switch {
	case err != nil:
		err = fmt.Errorf("%w: %w", ErrUndecided, err)
	case r.Undecided > 0:
		err = fmt.Errorf("%w (%d of %d)", ErrUndecided, r.Undecided, r.Kept+r.Removed+r.Undecided)
	}
	return r, err
}

// counts returns the counts of this node for the result of an inquiry.
func (r *Rechecked) counts() ackCounts {
	return ackCounts{ackRemoved: uint32(r.Removed), ackKept: uint32(r.Kept), ackUndecided: uint32(r.Undecided)}
}
