package main

import (
	"slices"

	"github.com/planrooms/planrooms/protocol"
)

// chain is the position of one viewer in the stream of its plan. Unlike a client it does not ask
// for missing events, because a replay would hide that they were missing. Unlike protocol.Chain it
// distinguishes an event that comes twice from one that comes late.
type chain struct {
	protocol.Chain
	recent [32]uint64 // the last seqs
	next   int        // where in recent the next one goes
}

// verdict is how an event continues a chain.
type verdict int

const (
	inOrder verdict = iota
	gap             // events before it are missing, without a resync
	duplicate
	outOfOrder // it arrived after a later one, or is from before the join
)

// event takes an event or a receipt.
func (c *chain) event(m protocol.Message) verdict {
	place := c.Take(m)
	v := inOrder
	switch place {
	case protocol.PlaceDuplicate:
		if c.seen(m.Seq) {
			return duplicate
		}
		return outOfOrder
	case protocol.PlaceGap:
		v = gap
		c.Skip(m)
		c.Take(m)
	}
	c.recent[c.next] = m.Seq
	c.next = (c.next + 1) % len(c.recent)
	return v
}

func (c *chain) seen(seq uint64) bool { return slices.Contains(c.recent[:], seq) }

// arrival is how a stream continues after a join.
type arrival int

const (
	arrivedFirst    arrival = iota // there was no stream before
	arrivedResumed                 // no event is missing
	arrivedToReload                // not recovered: the viewer has to reload
	arrivedAstray                  // recovered, but not at the position of the request: a gap
)

// joined takes the answer to a join since the position of the chain.
func (c *chain) joined(a protocol.JoinAnswer) arrival {
	before := c.Position()
	place := c.Join(a)
	c.forget(before)
	switch {
	case before.Epoch == "":
		return arrivedFirst
	case place == protocol.PlaceNext:
		return arrivedResumed
	case a.Recovered:
		return arrivedAstray
	}
	return arrivedToReload
}

// resync takes a resync.
func (c *chain) resync(r protocol.Resync) {
	before := c.Position()
	c.Resync(r)
	c.forget(before)
}

// forget forgets the last seqs if the epoch has changed: another epoch can use them again.
func (c *chain) forget(before protocol.Position) {
	if c.Position().Epoch != before.Epoch {
		c.recent = [32]uint64{}
	}
}
