package room

// skips are the last events of a plan that a connection missed and got resync for. Of most
// connections there are none.
type skips struct {
	ranges    []skip // ordered; at most maxSkips
	forgotten uint64 // of the events up to it, the ranges may have been dropped
}

// maxSkips is how many resyncs of one membership are remembered.
const maxSkips = 8

// skip is the events of one resync: those after a seq, up to another one.
type skip struct {
	after, to uint64
	at        int64 // see Hub.clock
}

// noSkips is what a nil pointer stands for.
var noSkips skips

// clone returns a copy that later calls of add do not change.
func (s *skips) clone() *skips {
	if s == nil {
		return nil
	}
	c := *s
	return &c
}

// add records a resync.
func (s *skips) add(r skip) {
	if n := len(s.ranges); n > 0 && s.ranges[n-1].after == r.after {
		s.ranges = s.ranges[:n-1] // the cursor has not moved: that resync was not written
	} else if n == maxSkips {
		s.forgotten = s.ranges[0].to
		s.ranges = append(s.ranges[:0:0], s.ranges[1:]...)
	}
	s.ranges = append(s.ranges, r)
}

// before returns the seq up to which everything was written if the last message up to seq may not
// have been: an event, or a resync.
func (s *skips) before(seq uint64) uint64 {
	if s == nil {
		s = &noSkips
	}
	if n := len(s.ranges); n > 0 && s.ranges[n-1].to == seq {
		return s.ranges[n-1].after
	}
	return max(seq, 1) - 1
}

// of returns the resync that replaced the event. unknown means that it may have been a resync that
// is forgotten.
func (s *skips) of(seq uint64) (at int64, found, unknown bool) {
	if s == nil {
		s = &noSkips
	}
	for _, r := range s.ranges {
		if seq > r.after && seq <= r.to {
			return r.at, true, false
		}
	}
	return 0, false, seq <= s.forgotten
}
