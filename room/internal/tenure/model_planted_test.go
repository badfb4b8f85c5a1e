package tenure_test

import "github.com/planrooms/planrooms/room/internal/tenure"

// planted are faults of the rules. The zero value has none.
type planted struct {
	anyRecord     bool // any own record opens the gate
	oldRecord     bool // a record of an earlier tenure opens the gate of the next one
	lateAnswer    bool // an answer extends the tenure in which its beat was sent
	trimmedRecord bool // a record before the window keeps the gate open
	sleeps        bool // a suspension is not noticed
	gateSleeps    bool // the gate notices a suspension only when the tenure is checked
	shutsEarly    bool // a note says that a tenure has ended although a write of it is under way
	earlyVerdict  bool // lists from before a record count
	absence       bool // a list that lacks a node ends its tenure
	staleLists    bool // old lists count
	askedLate     bool // the newer of two lists counts from its answer
	answeredEarly bool // the older of two lists counts from its question
	lateRecord    bool // the record that is stored last counts, whatever its number
	anyShut       bool // a note that says that a tenure has ended ends newer ones, too
	neverJudges   bool // a caller that has no tenure at any time waits for acks alone
	unlisted      bool // a caller that has just opened the log needs no list
	unapplied     bool // Revoke does not wait until the caller has applied R
	keepsMembers  bool // members need no access check in a new epoch
	noReset       bool // in a new epoch the caller knows all nodes
	noEpoch       bool // acks count in every epoch
	reusedName    bool // the second server has the name of the first
}

func (p *planted) key(i int) int {
	if p.reusedName {
		return 0
	}
	return i
}

func (p *planted) name(i int) string { return [2]string{"first", "second"}[p.key(i)] }

func (p *planted) answered(o *tenure.Own, sent, now tenure.Moment) bool {
	if p.lateAnswer {
		now = sent
	}
	if p.sleeps {
		sent.Wall, now.Wall = sent.Mono, now.Mono
	}
	return o.Answered(sent, now)
}

func (p *planted) check(o *tenure.Own, now tenure.Moment) {
	if p.sleeps {
		now.Wall = now.Mono
	}
	o.Check(now)
}

// open reports whether the gate of a node is open.
func (p *planted) open(o *tenure.Own, first uint8, now tenure.Moment) bool {
	if p.trimmedRecord {
		first = 0
	}
	if p.sleeps {
		now.Wall = now.Mono
	}
	pass := o.Pass(uint64(first))
	if p.gateSleeps && o.Live(now.Mono) && o.RecordedAt() > 0 && o.RecordedAt() >= uint64(first) {
		return true
	}
	return pass.Open(now)
}

func (p *planted) end(o *tenure.Own) {
	o.End()
	if p.shutsEarly {
		o.WritesEnded(o.Number())
	}
}

func (p *planted) ownRecorded(o *tenure.Own, number, seq uint64) {
	if p.anyRecord {
		number = o.Number()
	}
	o.Recorded(number, seq)
}

func (p *planted) recorded(w *world, s *state, name string, number, seq uint64) {
	if p.lateRecord && number < s.peers.Newest(name) {
		// Only the record that has come last would be known.
		s.peers.Silent(name, s.peers.Newest(name))
	}
	s.peers.Recorded(name, number, seq)
	if p.earlyVerdict {
		for i := range s.servers {
			if g := s.caller.ghost[i]; p.name(i) == name && g.number > 0 && s.t-g.at >= w.ttl {
				s.peers.Silent(name, number)
			}
		}
	}
}

func (p *planted) listed(s *state, l tenure.List) {
	if p.staleLists {
		l.Complete = true
	}
	if p.askedLate {
		l.Asked = l.Answered
	}
	if p.answeredEarly {
		l.Answered = l.Asked
	}
	if p.unlisted {
		s.peers.Listed(tenure.List{Complete: true})
	}
	s.peers.Listed(l)
	for _, n := range l.Nodes {
		if p.anyShut && n.Shut {
			s.peers.Silent(n.Name, s.peers.Newest(n.Name))
		}
	}
	for i := range s.servers {
		name, lacks := p.name(i), true
		for _, n := range l.Nodes {
			if lacks = lacks && n.Name != name; n.Name == name && p.earlyVerdict && uint8(n.Number) != s.caller.ghost[i].number {
				s.caller.ghost[i] = stored{number: uint8(n.Number), at: s.t}
			}
		}
		if p.absence && lacks && l.Complete {
			s.peers.Silent(name, s.peers.Newest(name))
		}
	}
}

func (p *planted) reset(w *world, peers *tenure.Peers) {
	if p.noReset {
		*peers = tenure.NewPeers(int64(w.ttl))
		peers.Listed(tenure.List{Complete: true})
		return
	}
	peers.Reset()
}
