package room

import "hash/fnv"

// floorStripes is how many floors a hub has, 8 bytes each.
const floorStripes = 4096

// floors are the positions of plans that have no room. A log that is created starts at the floor of
// its plan, so that no position of an older log of the plan is valid in it. Keeping a seq for each
// plan ever seen would take memory without bound, so plans share a floor: deleting the log of one
// plan voids the positions of the others of its stripe, which clients of these have to load. The
// zero value is ready. The hub guards it.
type floors struct {
	seqs []uint64 // highest last seq of a deleted log of the stripe; nil if none was deleted
	all  uint64   // no floor is lower
}

// stripe is where the floor of a plan is.
func (*floors) stripe(planID string) int {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(planID)) // never fails
	return int(hash.Sum32() % floorStripes)
}

// of returns the floor of a plan.
func (f *floors) of(planID string) uint64 {
	if f.seqs == nil {
		return f.all
	}
	return max(f.seqs[f.stripe(planID)], f.all)
}

// raiseAll makes all positions before seq invalid.
func (f *floors) raiseAll(seq uint64) { f.all = max(f.all, seq) }

// reset is the start of another log.
func (f *floors) reset(seq uint64) { *f = floors{all: seq} }

// raise records that the log of a plan has been deleted.
func (f *floors) raise(planID string, last uint64) {
	if f.seqs == nil {
		f.seqs = make([]uint64, floorStripes)
	}
	seq := &f.seqs[f.stripe(planID)]
	*seq = max(*seq, last)
}
