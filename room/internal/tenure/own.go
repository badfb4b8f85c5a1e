package tenure

// Moment is a point in time of this machine's two clocks, in nanoseconds. Both come from one
// reading of the clock: if the process were stopped between two, they would seem to be apart. They
// advance alike, except while the machine is suspended, which only the wall clock counts, and when
// somebody sets the wall clock.
type Moment struct{ Mono, Wall int64 }

// Own is the tenure of this node. The zero value is not valid; see [NewOwn].
type Own struct {
	ttl    int64
	number uint64 // of the current or last tenure; 0: none yet
	ended  bool   // by End
	from   Moment // when the beat was sent from which until counts
	until  int64  // end of the tenure, by the monotonic clock
	record uint64 // seq of the newest own record with this number; 0: none
	writes bool   // by End: the gate may have been open, and its writes may not have ended
}

// NewOwn returns a node without a tenure. ttl is the time to live of a tenure, in nanoseconds; all
// nodes of a cluster have the same.
func NewOwn(ttl int64) Own { return Own{ttl: ttl} }

// Answered takes the answer, at now, to a beat that was sent at sent. It begins or extends a
// tenure, which then ends a fifth less than the ttl after sent, by the monotonic clock. Answered
// extends the current tenure if that has not ended at now, and begins another one otherwise: begun
// is true, and the caller appends a node record with [Own.Number]. An answer that is too late to be
// of use, or during which the clocks did not advance alike, does neither. Nor does one that comes
// while [Own.Writes].
func (o *Own) Answered(sent, now Moment) (begun bool) {
	o.Check(now)
	until := sent.Mono + lasts(o.ttl)
	if now.Mono >= until || !alike(sent, now, o.ttl/5) || o.Writes(now.Mono) {
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
// the tenure. Answered calls it. Between answers the caller does, before it relies on Live, Shut or
// Pass.
func (o *Own) Check(now Moment) {
	if o.Live(now.Mono) && !alike(o.from, now, o.ttl/5) {
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

// Pass returns when the node may write. first is the seq of the first record in the log's window: a
// record before it does not open the gate.
func (o *Own) Pass(first uint64) Pass {
	if o.ended || o.record == 0 || o.record < first {
		return Pass{}
	}
	return Pass{from: o.from, until: o.until, apart: o.ttl / 5}
}

// End ends the current tenure. The next useful answer begins another one.
func (o *Own) End() {
	if !o.ended {
		o.ended, o.writes = true, o.record > 0
	}
}

// Writes reports whether writes may be under way that began before End. Each has the former end of
// the tenure as its deadline. Until they have ended, no other tenure begins, and the node's notes
// do not say that this one has ended: other nodes would not wait for the writes.
func (o *Own) Writes(now int64) bool { return o.writes && now < o.until }

// WritesEnded notes that no write is under way that began in a tenure.
func (o *Own) WritesEnded(number uint64) {
	if o.ended && number == o.number {
		o.writes = false
	}
}

// Shut reports whether the node's notes say that the tenure with the current number has ended, so
// that the other nodes do not wait for it. That includes one whose time has passed: the note may be
// stored although no answer comes back.
func (o *Own) Shut(now int64) bool { return !o.Live(now) && !o.Writes(now) }

// Pass is what a gate asks before each write. The zero value never lets one pass. It does not
// change when the tenure ends or is extended: the caller then replaces it.
type Pass struct {
	from  Moment // when the beat was sent from which until counts
	until int64  // by the monotonic clock
	apart int64  // by which the clocks may differ
}

// Open reports whether a write may begin at now: not after a suspension, even if the caller has not
// called [Own.Check] since.
func (p *Pass) Open(now Moment) bool { return now.Mono < p.until && alike(p.from, now, p.apart) }

// Left returns how long writes may begin from now on. It is not positive if none may.
func (p *Pass) Left(now Moment) int64 {
	if !p.Open(now) {
		return 0
	}
	return p.until - now.Mono
}

// alike reports whether both clocks advanced by the same time between two moments, within most.
func alike(from, to Moment, most int64) bool {
	apart := (to.Wall - from.Wall) - (to.Mono - from.Mono)
	return max(apart, -apart) <= most
}

// lasts returns how long a tenure lasts from when its beat was sent. The fifth that is left of the
// ttl covers a suspension that alike does not notice, and clocks that run at different speeds.
func lasts(ttl int64) int64 { return ttl - ttl/5 }
