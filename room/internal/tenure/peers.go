package tenure

import (
	"slices"
	"strings"
)

// Unlisted stands in [Peers.Awaited] for nodes that this node may not know yet.
const Unlisted = "(nodes not listed yet)"

// Peers is what this node knows of the tenures of all nodes, itself included. The zero value is not
// valid; see [NewPeers]. A copy shares memory with the original.
type Peers struct {
	ttl   int64
	alone string // the only node that can be alive; "": others can, too
	nodes []peer // sorted by name

	asked    int64 // when the last list was asked for that this node could judge by
	judging  bool  // there was one, and no list since for which it had no tenure
	reset    bool  // by Reset: settle waits for the ttl
	listed   bool  // there was a complete list
	listedAt int64 // when the first one was answered
	// settled: nodes has every node whose gate may be open although it has not applied all records
	// that this node has applied.
	settled bool
}

// peer is a node that has a record in the log, or a note in the first list.
type peer struct {
	name   string
	number uint64 // of its newest tenure
	first  uint64 // seq of the first record of that tenure; 0: before all that this node has read
	last   uint64 // seq of the newest record of that tenure; 0: none
	ended  uint64 // tenures up to this one have ended
	gone   bool   // no beats for the ttl, and no newer tenure since
	fenced uint64 // Listed.Fenced, the highest of the epoch

	// Of the lists since the newest tenure was recorded.
	seen  bool   // there was one
	shown uint64 // the number of the node's note in the last ones; 0: they lack the node
	since int64  // when the first list that showed this number was answered
}

// NewPeers returns what a node knows that has just opened the log: nothing. ttl is that of
// [NewOwn].
func NewPeers(ttl int64) Peers { return Peers{ttl: ttl} }

// Alone notes that no other process can use the log: the records of all nodes but own have ended.
// The caller calls it before the first record.
func (p *Peers) Alone(own string) { p.alone = own }

// Reset forgets everything, because the log is another one, or because records were trimmed before
// this node has read them. Other nodes may not have noticed yet, and are in no record that it can
// read; so Awaited contains Unlisted until lists have come for the ttl. The caller drops the list
// that it may be waiting for: in a store that has lost its notes, their numbers begin again.
func (p *Peers) Reset() { *p = Peers{ttl: p.ttl, alone: p.alone, reset: true} }

// Doubt is like Reset, but keeps the nodes: a new epoch begins in the log that this node goes on
// reading. Nodes may be alive whose records the log has lost.
func (p *Peers) Doubt() { p.reset, p.listed, p.settled = true, false, false }

// Recorded notes that a node record with this seq was applied. The caller calls it in the order of
// the log, and only for records of the current epoch. A record that was stored after one with a
// higher number is without effect.
func (p *Peers) Recorded(name string, number, seq uint64) {
	if number == 0 {
		return
	}
	n := p.add(name)
	switch {
	case number > n.number:
		n.number, n.first, n.last, n.gone, n.seen = number, seq, seq, false, false
	case number == n.number:
		n.last = seq
	}
	if p.alone != "" && p.alone != name {
		n.ended, n.gone = n.number, true
	}
}

// Silent notes that a record was applied which says that a node has ended its tenures up to number.
func (p *Peers) Silent(name string, number uint64) {
	if n := p.find(name); n != nil {
		n.ended = max(n.ended, number)
	}
}

// Knows reports whether the node has a record in the log, or had a tenure in the first list.
func (p *Peers) Knows(name string) bool { return p.find(name) != nil }

// Ended reports whether the newest tenure of a node has ended. It is false for an unknown name.
func (p *Peers) Ended(name string) bool {
	n := p.find(name)
	return n != nil && n.ended >= n.number
}

// Awaited returns the nodes other than own whose gate may be open although they have not applied
// the record with this seq, sorted. The caller has applied that record. A node is not among them if
// its newest tenure has ended, or was first recorded after seq: it has applied the record before
// its gate opened, and all its older tenures have ended.
func (p *Peers) Awaited(seq uint64, own string) (names []string) {
	if !p.settled && p.alone == "" {
		names = append(names, Unlisted)
	}
	for i := range p.nodes {
		if n := &p.nodes[i]; n.name != own && n.first < seq && n.ended < n.number {
			names = append(names, n.name)
		}
	}
	return names
}

// Present returns the nodes that have a record and are not gone, sorted: the users they list are
// present. A node is gone when it has not beaten for the ttl, and until a record of a newer tenure
// is applied. So one whose gate is shut is present, as is one that has just shut down: its users
// get the ttl to connect to another node.
func (p *Peers) Present() (names []string) {
	for i := range p.nodes {
		if n := &p.nodes[i]; n.last > 0 && !n.gone {
			names = append(names, n.name)
		}
	}
	return names
}

// Forget drops the nodes that are gone and whose records precede first, the seq of the first record
// in the log's window.
func (p *Peers) Forget(first uint64) {
	p.nodes = slices.DeleteFunc(p.nodes, func(n peer) bool { return n.gone && n.last < first })
}

func (p *Peers) search(name string) (int, bool) {
	return slices.BinarySearchFunc(p.nodes, name, func(n peer, name string) int {
		return strings.Compare(n.name, name)
	})
}

func (p *Peers) find(name string) *peer {
	if i, ok := p.search(name); ok {
		return &p.nodes[i]
	}
	return nil
}

func (p *Peers) add(name string) *peer {
	i, ok := p.search(name)
	if !ok {
		p.nodes = slices.Insert(p.nodes, i, peer{name: name})
	}
	return &p.nodes[i]
}
