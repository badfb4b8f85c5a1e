package main

import "github.com/planrooms/planrooms/protocol"

// A chain is what one connection knows of the order of its plan's events. Every event names the one before it, so what is missing, doubled
// or out of order shows at once. It only looks: unlike a client it does not ask for what is missing, which would hide that it was.
type chain struct {
	at     protocol.Position // after the last event; without an epoch before the first join
	recent [32]uint64        // the last seqs, to tell an event that comes twice from one that comes late
	next   int               // where in recent the next one goes
}

// verdict is what a chain says of an event.
type verdict int

const (
	inOrder verdict = iota
	gap             // events before it never came, and nobody said so
	duplicate
	outOfOrder
)

// event takes an event or a receipt.
func (c *chain) event(seq, prev uint64) verdict {
	switch {
	case seq <= c.at.Seq && c.seen(seq):
		return duplicate
	case seq <= c.at.Seq:
		return outOfOrder // it came after one that comes after it, or it was before the join
	}
	last := c.at.Seq
	c.at.Seq = seq
	c.recent[c.next] = seq
	c.next = (c.next + 1) % len(c.recent)
	switch {
	case prev > last:
		return gap
	case prev < last:
		return outOfOrder // what came before it claims to come after its predecessor
	}
	return inOrder
}

func (c *chain) seen(seq uint64) bool {
	for _, s := range c.recent {
		if s == seq {
			return true
		}
	}
	return false
}

// arrival is how a join went on from where the connection stood.
type arrival int

const (
	arrivedFirst arrival = iota // nothing was known before
	arrivedResumed
	arrivedAnew   // told that events are missing: reload
	arrivedAstray // recovered, but not at the position that was asked for: a gap
)

// joined takes the answer to a join that asked to go on at the chain's position.
func (c *chain) joined(a protocol.JoinAnswer) arrival {
	before := c.at
	c.move(a.Position)
	switch {
	case before.Epoch == "":
		return arrivedFirst
	case !a.Recovered:
		return arrivedAnew
	case a.Position != before:
		return arrivedAstray
	}
	return arrivedResumed
}

// move goes on at a position that the server has told.
func (c *chain) move(to protocol.Position) {
	if to.Epoch != c.at.Epoch {
		c.recent = [32]uint64{} // seqs begin anew
	}
	c.at = to
}
