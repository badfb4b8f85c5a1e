package tenure

// Moment is a point in time of this machine's two clocks, in nanoseconds. Both come from one
// reading of the clock. They advance alike, except while the machine is suspended, which only the
// wall clock counts, and when somebody sets the wall clock.
type Moment struct{ Mono, Wall int64 }

// Own is the tenure of this node. The zero value is not valid; see [NewOwn].
type Own struct {
	ttl    int64
	number uint64 // of the current or last tenure; 0: none yet
	ended  bool   // by End
	from   Moment // when the beat was sent from which until counts
	until  int64  // end of the tenure, by the monotonic clock
	record uint64 // seq of the newest own record with this number; 0: none
}

// NewOwn returns a node without a tenure. ttl is the time to live of a tenure, in nanoseconds; all
// nodes of a cluster have the same.
func NewOwn(ttl int64) Own { return Own{ttl: ttl} }

// Answered takes the answer, at now, to a beat that was sent at sent. It begins or extends a
// tenure, which then ends a fifth less than the ttl after sent, by the monotonic clock. Answered
// extends the current tenure if that has not ended at now, and begins another one otherwise: begun
// is true, and the caller appends a node record with [Own.Number]. An answer that is too late to be
// of use, or during which the clocks did not advance alike, does neither.
func (o *Own) Answered(sent, now Moment) (begun bool) {
	o.Check(now)
	until := sent.Mono + lasts(o.ttl)
	if now.Mono >= until || !o.alike(sent, now) {
		return false
	}
	if o.Live(now.Mono) {
		if until > o.until {
			o.from, o.until = sent, until
		}
		return false
	}
	*o = Own{ttl: o.ttl, number: o.number + 1, from: sent, until: until}
	return true
}

// Check ends the current tenure if, since the beat that it counts from was sent, the clocks have
// not advanced alike within a fifth of the ttl: the machine may have been suspended for longer than
// the tenure. Answered calls it. Between answers the caller does, before it relies on Live or
// Until.
func (o *Own) Check(now Moment) {
	if o.Live(now.Mono) && !o.alike(o.from, now) {
		o.End()
	}
}

// Number returns the number of the current tenure, or else of the last one. Numbers grow by one. It
// is 0 before the first tenure.
func (o *Own) Number() uint64 { return o.number }

// Live reports whether the node has a tenure at now, by the monotonic clock.
func (o *Own) Live(now int64) bool { return o.number > 0 && !o.ended && now < o.until }

// Recorded notes that the Tail of this node has applied its own record of a tenure, which has the
// given seq.
func (o *Own) Recorded(number, seq uint64) {
	if number == o.number {
		o.record = max(o.record, seq)
	}
}

// RecordedAt returns the seq of the newest own record of the current tenure; 0: none.
func (o *Own) RecordedAt() uint64 { return o.record }

// Until returns the time, by the monotonic clock, at which the gate shuts unless a further answer
// extends the tenure. It is 0 if the gate is shut, whatever the time. first is the seq of the first
// record in the log's window: a record before it does not open the gate.
func (o *Own) Until(first uint64) int64 {
	if o.ended || o.record == 0 || o.record < first {
		return 0
	}
	return o.until
}

// End ends the current tenure. The next useful answer begins another one.
func (o *Own) End() { o.ended = o.number > 0 }

// Ended reports whether the tenure with the current number was ended by End or Check. The node's
// notes then say that it has ended, which spares the other nodes the wait for its ttl. They may
// also say so of a tenure that is not [Own.Live] any more.
func (o *Own) Ended() bool { return o.ended }

// alike reports whether both clocks advanced by the same time between two moments, within a fifth
// of the ttl.
func (o *Own) alike(from, to Moment) bool {
	apart := (to.Wall - from.Wall) - (to.Mono - from.Mono)
	return max(apart, -apart) <= o.ttl/5
}

// lasts returns how long a tenure lasts from when its beat was sent. The fifth that is left of the
// ttl covers a suspension that alike does not notice, and clocks that run at different speeds.
func lasts(ttl int64) int64 { return ttl - ttl/5 }
