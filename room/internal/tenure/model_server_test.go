package tenure_test

// serverSteps yields all steps of a server.
func (w *world) serverSteps(s *state, i int, try func(name string, do func(s *state, x *server))) {
	x, now := &s.servers[i], s.now(i)
	// beats
	switch x.beat.stage {
	case idle:
		if x.beats < w.beats {
			try("sends a beat", func(s *state, x *server) {
				x.beats++
				w.planted.check(&x.own, now)
				x.beat = beat{stage: asked, at: now, note: x.note(now.Mono)}
			})
		}
	case asked:
		try("its beat is stored", func(s *state, x *server) {
			w.store(s, i, x.beat.note)
			if x.epoch != s.epoch { // and the answer is ErrEpoch
				x.beat = beat{}
				return
			}
			x.beat.stage, x.beat.note, x.beat.first = read, note{}, s.first
		})
		if w.late {
			try("gives up a beat", func(s *state, x *server) { x.late, x.beat = x.beat.note, beat{} })
		}
	case read:
		try("gets the answer to its beat", func(s *state, x *server) {
			begun := w.planted.answered(&x.own, x.beat.at, now)
			if begun {
				x.appends |= 1 << x.own.Number()
			}
			if begun && w.planted.oldRecord {
				x.own.Recorded(x.own.Number(), uint64(x.applied))
			}
			if x.epoch == s.epoch {
				x.first = max(x.first, x.beat.first)
			}
			x.beat = beat{}
		})
	}
	if x.late.sent {
		try("a beat that it gave up is stored", func(s *state, x *server) { w.store(s, i, x.late); x.late = note{} })
	}
	if x.twice < w.twice && x.stored.number > 0 && x.beat.stage == read {
		try("its beat is stored again", func(s *state, x *server) { x.twice++; w.store(s, i, x.stored.note) })
	}
	// its node records: appending begins with the tenure, and each record is stored at any later
	// time or never
	if recorded := x.own.RecordedAt(); x.own.Live(now.Mono) && recorded > 0 && recorded < uint64(x.first) {
		try("appends its record again", func(s *state, x *server) { x.appends |= 1 << x.own.Number() })
	}
	for n := range uint8(8) {
		if x.appends>>n&1 > 0 && int(s.last) < w.records {
			try("its record is stored", func(s *state, x *server) {
				w.record(s, record{server: int8(i), number: n, epoch: x.epoch})
				x.appends &^= 1 << n
			})
		}
		if x.appendsBefore>>n&1 > 0 && int(s.last) < w.records {
			try("its record of the epoch before is stored", func(s *state, x *server) {
				w.record(s, record{server: int8(i), number: n, epoch: x.epoch - 1})
				x.appendsBefore &^= 1 << n
			})
		}
	}
	// the log
	if x.epoch != s.epoch {
		try("notices the new epoch", func(s *state, x *server) {
			w.planted.end(&x.own)
			x.epoch, x.applied, x.first = s.epoch, 0, 1
			x.appendsBefore, x.appends, x.beat = x.appends, 0, beat{}
			x.fenced = s.caller.called && !w.planted.keepsMembers
		})
	} else if x.applied < s.last {
		if x.applied+1 < s.first {
			try("misses a record that was trimmed", func(s *state, x *server) {
				w.planted.end(&x.own)
				x.applied = s.first - 1
				x.fenced = s.caller.called
			})
		} else {
			try("applies a record", func(s *state, x *server) { w.apply(s, i) })
		}
	}
	if x.ends < w.ends && x.own.Live(now.Mono) {
		try("ends its tenure", func(s *state, x *server) { x.ends++; w.planted.end(&x.own) })
	}
	if x.own.Writes(now.Mono) {
		try("has ended the writes of its tenure", func(s *state, x *server) {
			x.own.WritesEnded(x.own.Number())
			x.writes = 0
		})
	}
}

// note is what a server writes about itself.
func (x *server) note(now int64) note {
	n := note{sent: true, tenure: uint8(x.own.Number()), shut: x.own.Number() > 0 && x.own.Shut(now), epoch: x.epoch}
	if x.ack.epoch == x.epoch {
		n.fenced = x.ack.seq
	}
	return n
}

// store stores the note of a server.
func (w *world) store(s *state, i int, n note) {
	x := &s.servers[w.planted.key(i)]
	if w.stale {
		x.before = x.stored
	}
	x.stored = stored{number: x.stored.number + 1, note: n}
	if w.times {
		x.stored.at = s.t
	}
}

// record stores a record.
func (w *world) record(s *state, r record) {
	if w.trims > 0 {
		r.at = s.t
	}
	s.log[s.last] = r
	s.last++
}

// applyEarly lets the servers apply node records as early as possible, unless they may miss them. A
// server that applies one later opens its gate later, and does nothing else differently.
func (w *world) applyEarly(s *state) {
	if w.trims > 0 || w.recreates > 0 {
		return
	}
	for i := range w.servers {
		for x := &s.servers[i]; x.applied < s.last && s.log[x.applied].server >= 0; {
			w.apply(s, i)
		}
	}
}

// apply applies the next record on a server.
func (w *world) apply(s *state, i int) {
	x := &s.servers[i]
	r := s.log[x.applied]
	x.applied++
	switch {
	case r.server < 0:
		x.fenced, x.ack = x.fenced || r.server == recordR, ack{x.applied, x.epoch}
	case int(r.server) == i && r.epoch == x.epoch:
		w.planted.ownRecorded(&x.own, uint64(r.number), uint64(x.applied))
	}
}
