package tenure_test

import (
	"fmt"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

// callerSteps yields all steps of the caller.
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
