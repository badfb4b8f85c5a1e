package tenure_test

import "fmt"

type step struct {
	name   string
	server int8 // -1: the caller's step, or that of neither
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
		for i := range w.servers {
			w.write(&c, i)
		}
		yield(step{name, server}, &c, broken)
	}
	try("tick", -1, func(s *state) string { w.tick(s); return "" })
	for i := range w.servers {
		if s.servers[i].asleep < w.asleep {
			try("tick, during which it is suspended", int8(i), func(s *state) string {
				w.tick(s)
				s.servers[i].asleep++
				s.servers[i].writes = 0 // what it has in hand is not modelled
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
