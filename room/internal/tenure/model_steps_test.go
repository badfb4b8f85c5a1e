package tenure_test

import (
	"fmt"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

type step struct {
	name   string
	server int8 // -1: the caller's step, or nobody's
}

func (s step) String() string {
	if s.server < 0 {
		return s.name
	}
	return fmt.Sprintf("server %d: %s", s.server, s.name)
}

// next yields every state that is one step away, and which rule the step itself breaks, if any.
func (w *world) next(s *state, yield func(st step, s *state, broken string)) {
	try := func(name string, server int8, do func(s *state) (broken string)) {
		c := *s
		broken := do(&c)
		w.applyEarly(&c)
		yield(step{name, server}, &c, broken)
	}
	try("tick", -1, func(s *state) string { w.tick(s); return "" })
	for i := range w.servers {
		if s.servers[i].asleep < w.asleep {
			try("tick, during which it is suspended", int8(i), func(s *state) string {
				w.tick(s)
				s.servers[i].asleep++
				return ""
			})
		}
	}
	if r := s.first - 1; s.trims < w.trims && s.first <= s.last && s.t-s.log[r].at >= w.ttl {
		try("the oldest record leaves the window", -1, func(s *state) string { s.first++; s.trims++; return "" })
	}
	if s.others < w.others && int(s.last) < w.records {
		try("somebody appends another control record", -1, func(s *state) string {
			s.others++
			w.record(s, record{server: recordOther, epoch: s.epoch})
			return ""
		})
	}
	if s.epoch < int8(w.recreates) {
		try("the log is lost", -1, func(s *state) string { s.recreate(false); return "" })
		if w.forgets {
			try("the log and all notes are lost", -1, func(s *state) string { s.recreate(true); return "" })
		}
	}
	for i := range w.servers {
		w.serverSteps(s, i, func(name string, do func(s *state, x *server)) {
			try(name, int8(i), func(s *state) string { do(s, &s.servers[i]); return "" })
		})
	}
	if !s.caller.returned {
		w.callerSteps(s, func(name string, do func(s *state) string) {
			try(name, -1, func(s *state) string {
				s.peers, s.wait = s.peers.Clone(), s.wait.Clone()
				broken := do(s)
				w.over(s)
				return broken
			})
		})
	}
}

// tick lets time pass. The caller's beat fails if it takes too long.
func (w *world) tick(s *state) {
	s.t++
	if y := &s.caller; y.stage != idle && s.t-y.asked > w.delay {
		w.callerIdle(s)
	}
}

func (s *state) recreate(notes bool) {
	s.epoch++
	s.log, s.first, s.last = [6]record{}, 1, 0
	if notes {
		for i := range s.servers {
			s.servers[i].stored, s.servers[i].before = stored{}, stored{}
		}
	}
}

func (w *world) serverSteps(s *state, i int, try func(name string, do func(s *state, x *server))) {
	x, now := &s.servers[i], s.now(i)
	// beats
	switch x.beat.stage {
	case idle:
		if x.beats < w.beats {
			try("sends a beat", func(s *state, x *server) {
				x.beats++
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
	// its node records: appending begins with the tenure, and each record is stored at any later time
	// or never
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
			x.own.End()
			x.epoch, x.applied, x.first = s.epoch, 0, 1
			x.appendsBefore, x.appends, x.beat = x.appends, 0, beat{}
			x.fenced = s.caller.called && !w.planted.keepsMembers
		})
	} else if x.applied < s.last {
		if x.applied+1 < s.first {
			try("misses a record that was trimmed", func(s *state, x *server) {
				x.own.End()
				x.applied = s.first - 1
				x.fenced = s.caller.called
			})
		} else {
			try("applies a record", func(s *state, x *server) { w.apply(s, i) })
		}
	}
	if x.ends < w.ends && x.own.Live(now.Mono) {
		try("ends its tenure", func(s *state, x *server) { x.ends++; x.own.End() })
	}
}

// note is what a server writes about itself.
func (x *server) note(now int64) note {
	n := note{sent: true, tenure: uint8(x.own.Number()), shut: x.own.Number() > 0 && !x.own.Live(now), epoch: x.epoch}
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

func (w *world) callerSteps(s *state, try func(name string, do func(s *state) string)) {
	y := &s.caller
	if !y.opened {
		try("the caller opens the log", func(s *state) string {
			y := &s.caller
			y.opened, y.epoch, y.applied = true, s.epoch, s.first-1
			return ""
		})
		return
	}
	if y.r == 0 && int(s.last) < w.records {
		try("the caller appends R", func(s *state) string {
			w.record(s, record{server: recordR, epoch: s.epoch})
			s.caller.called, s.caller.r = true, s.last
			if w.planted.unapplied {
				s.caller.waiting, s.wait = true, tenure.NewWait(uint64(s.last), epochName(s.epoch))
			}
			return ""
		})
	}
	switch y.stage {
	case idle:
		try("the caller sends a beat", func(s *state) string { w.callerAsks(s); return "" })
	case asked:
		if y.epoch != s.epoch {
			try("the caller's beat fails", func(s *state) string { w.callerIdle(s); return "" })
			break
		}
		try("the caller's beat is stored", func(s *state) string { w.callerReads(s, s.stored()); return "" })
		for i := range w.servers {
			if before := s.servers[i].before; w.stale && before != s.servers[i].stored {
				try(fmt.Sprintf("the caller's beat is stored, and reads an old note of server %d", i), func(s *state) string {
					shows := s.stored()
					shows[i] = before
					w.callerReads(s, shows)
					s.caller.whole = false
					return ""
				})
			}
			if w.lacking && s.servers[i].stored.number > 0 {
				try(fmt.Sprintf("the caller's beat is stored, and reads no note of server %d", i), func(s *state) string {
					shows := s.stored()
					shows[i] = stored{}
					w.callerReads(s, shows)
					return ""
				})
			}
		}
	case read:
		try("the caller gets a list", func(s *state) string { return w.callerListed(s) })
	}
	if y.epoch != s.epoch {
		try("the caller notices the new epoch", func(s *state) string { w.callerNotices(s); return "" })
	} else if y.applied+1 < s.first {
		try("the caller misses a record that was trimmed", func(s *state) string {
			w.callerNotices(s)
			s.caller.applied = s.first - 1
			return ""
		})
	} else if y.applied < s.last {
		try("the caller applies a record", func(s *state) string { w.callerApplies(s); return "" })
	}
	for i := range w.servers {
		if a := s.servers[i].ack; a.seq > 0 && y.waiting && !s.wait.HasAck(w.planted.name(i)) {
			try(fmt.Sprintf("the caller gets the ack of server %d", i), func(s *state) string {
				epoch := a.epoch
				if w.planted.noEpoch {
					epoch = s.caller.epoch
				}
				s.wait.Acked(w.planted.name(i), uint64(a.seq), epochName(epoch))
				return ""
			})
		}
	}
}

func epochName(e int8) string { return string(rune('A' + e)) }

func (w *world) callerAsks(s *state) {
	s.caller.stage, s.caller.asked = asked, s.t
}

func (w *world) callerIdle(s *state) {
	y := &s.caller
	y.stage, y.asked, y.shows, y.beat, y.whole = idle, 0, [2]stored{}, [2]int16{}, false
}

func (w *world) callerReads(s *state, shows [2]stored) {
	y := &s.caller
	y.stage, y.shows, y.whole = read, shows, true
	for i := range y.beat {
		y.beat[i] = s.servers[i].stored.at
	}
}

// callerListed passes a list to the caller's Peers. It breaks a rule if a server is gone then that
// stored a beat within the ttl before the list was asked for.
func (w *world) callerListed(s *state) (broken string) {
	y := &s.caller
	now := int64(s.t)
	l := tenure.List{Asked: int64(y.asked), Answered: now, Complete: y.whole, Judge: !w.planted.neverJudges}
	for i := range w.servers {
		if n := y.shows[i]; n.number > 0 {
			l.Nodes = append(l.Nodes, tenure.Listed{
				Name: w.planted.name(i), Number: uint64(n.number), Tenure: uint64(n.note.tenure), Shut: n.note.shut,
				Fenced: uint64(n.note.fenced), SameEpoch: n.note.epoch == y.epoch || w.planted.noEpoch,
			})
		}
	}
	var gone [2]bool
	for i := range w.servers {
		gone[i] = s.peers.Gone(w.planted.name(i))
	}
	w.planted.listed(s, l)
	for i := range w.servers {
		if beat := y.beat[i]; !gone[i] && s.peers.Gone(w.planted.name(i)) && beat > 0 && y.asked-beat < w.ttl {
			broken = ruleGone
		}
	}
	w.callerIdle(s)
	return broken
}

func (w *world) callerApplies(s *state) {
	y := &s.caller
	r := s.log[y.applied]
	y.applied++
	if r.server < 0 {
		if r.server == recordR && y.applied == y.r {
			y.waiting, s.wait = true, tenure.NewWait(uint64(y.applied), epochName(y.epoch))
		}
	} else if r.epoch == y.epoch {
		w.planted.recorded(w, s, w.planted.name(int(r.server)), uint64(r.number), uint64(y.applied))
	}
}

func (w *world) callerNotices(s *state) {
	y := &s.caller
	w.planted.reset(w, &s.peers)
	w.callerIdle(s)
	y.epoch, y.applied, y.r, y.waiting, s.wait = s.epoch, 0, 0, false, tenure.Wait{}
}

// over lets Revoke return as soon as it may.
func (w *world) over(s *state) {
	if y := &s.caller; y.waiting && !y.returned {
		y.returned = len(s.wait.Over(&s.peers, "caller")) == 0
	}
}
