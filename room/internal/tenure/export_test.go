package tenure

import "slices"

// Clone returns a copy of p that shares no memory with it.
func (p *Peers) Clone() Peers {
	c := *p
	c.nodes = slices.Clone(p.nodes)
	return c
}

// OwnState is the state of an Own at some time. Two that are equal behave alike from then on.
type OwnState struct {
	number uint64
	left   int64 // of the tenure; 0: it has ended
	apart  int64 // by which the clocks have not advanced alike
	record uint64
	writes int64 // how long writes of a tenure that has ended may last
}

// State returns the state of o at now.
func (o *Own) State(now Moment) OwnState {
	if !o.Live(now.Mono) {
		s := OwnState{number: o.number}
		if o.Writes(now.Mono) {
			s.writes = o.until - now.Mono
		}
		return s
	}
	apart := (now.Wall - o.from.Wall) - (now.Mono - o.from.Mono)
	return OwnState{number: o.number, left: o.until - now.Mono, apart: apart, record: o.record}
}

// PeersState is the state at some time of a Peers that knows at most two nodes, as a value that can
// be compared. Two that are equal behave alike from then on, except that nothing follows from the
// absence of a node.
type PeersState struct {
	asked, listedAt                 int64
	judging, reset, listed, settled bool
	nodes                           [2]peer
}

// State returns the state of p at now. The next list will have been asked for at asked or later.
func (p *Peers) State(now, asked int64) (s PeersState) {
	if copy(s.nodes[:], p.nodes) < len(p.nodes) {
		panic("tenure: more nodes than a PeersState can hold")
	}
	old := now - asked + p.ttl // what is older has the same effect
	s.judging, s.reset, s.listed, s.settled = p.judging, p.reset, p.listed, p.settled
	if p.judging {
		s.asked = min(now-p.asked, lasts(p.ttl))
	}
	if p.listed && !p.settled {
		s.listedAt = min(now-p.listedAt, old)
	}
	for i := range p.nodes {
		n := &s.nodes[i]
		n.last, n.since = 0, min(now-n.since, old)
		if !n.seen || n.ended >= n.number && len(p.nodes) == 1 {
			n.seen, n.shown, n.since = false, 0, 0
		}
	}
	return s
}

// Newest returns the number of the newest tenure of a node; 0: unknown.
func (p *Peers) Newest(name string) uint64 {
	if n := p.find(name); n != nil {
		return n.number
	}
	return 0
}

// Gone reports whether p counts a node as gone.
func (p *Peers) Gone(name string) bool {
	n := p.find(name)
	return n != nil && n.gone
}

// Clone returns a copy of w that shares no memory with it.
func (w *Wait) Clone() Wait {
	c := *w
	c.acked = slices.Clone(w.acked)
	return c
}

// WaitState is the whole state of a Wait for at most two nodes, as a value that can be compared.
type WaitState struct {
	seq   uint64
	epoch string
	acked [2]string
}

// State returns the state of w.
func (w *Wait) State() (s WaitState) {
	s.seq, s.epoch = w.seq, w.epoch
	copy(s.acked[:], w.acked)
	return s
}

// HasAck reports whether a node has acknowledged the record.
func (w *Wait) HasAck(name string) bool { return slices.Contains(w.acked, name) }
