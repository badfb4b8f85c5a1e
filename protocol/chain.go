package protocol

import "encoding/json"

// Place is the place of a message in a [Chain].
type Place int

// The places.
const (
	// PlaceNone is the place of a message that is neither an event, a receipt, a resync nor a join
	// answer, or whose position is not valid. The chain has not moved.
	PlaceNone Place = iota
	// PlaceNext means that no event is missing before the message. The chain is at the message now.
	PlaceNext
	// PlaceDuplicate is the place of an event at or before the position of the chain, which has not
	// moved. A client ignores the event.
	PlaceDuplicate
	// PlaceGap is the place of an event before which others are missing. The chain has not moved. A
	// client joins the plan again since [Chain.Position]. To go on without the missing events, it
	// calls [Chain.Skip] and takes the message again.
	PlaceGap
	// PlaceStart is the place of a resync, or of a join answer that does not continue at the
	// position of the chain. The chain is at the position in the message now. A client reloads the
	// plan.
	PlaceStart
)

// Chain is the position of a reader in the stream of one plan. It finds events that are missing or
// duplicate. The zero value is a chain without an epoch, as before the first join. A Chain may be
// copied. It must not be used by several goroutines at the same time.
type Chain struct{ at Position }

// Position returns the position of the chain: after the last event, receipt, resync or join answer.
func (c *Chain) Position() Position { return c.at }

// Reset moves the chain to a position, such as one that was loaded with the plan.
func (c *Chain) Reset(p Position) { c.at = p }

// Take returns the place of a message of the plan, and moves the chain if the message continues it.
// Events have no epoch: they belong to that of the last join answer or resync.
//
// A prev greater than the seq of the chain is a gap, and nothing else is: servers may differ in how
// far back they know the plan, so a smaller prev is not. A seq that is not greater than that of the
// chain is a duplicate.
//
// For a join answer or a resync, Take decodes the data. A program that has decoded it calls
// [Chain.Join] or [Chain.Resync] instead.
func (c *Chain) Take(m Message) Place {
	switch {
	case m.Seq > 0:
		return c.event(m.Seq, m.Prev)
	case m.Type == TypeJoinPlan:
		var a JoinAnswer
		if json.Unmarshal(m.Data, &a) == nil {
			return c.Join(a)
		}
	case m.Type == TypeResync:
		var r Resync
		if json.Unmarshal(m.Data, &r) == nil {
			return c.Resync(r)
		}
	}
	return PlaceNone
}

func (c *Chain) event(seq, prev uint64) Place {
	switch {
	case seq <= c.at.Seq:
		return PlaceDuplicate
	case prev > c.at.Seq:
		return PlaceGap
	}
	c.at.Seq = seq
	return PlaceNext
}

// Join returns the place of the answer to a join since the position of the chain, and moves the
// chain to the position of the answer. It returns PlaceNext only for an answer that is recovered at
// exactly that position, and PlaceNone, without moving, for one without success.
func (c *Chain) Join(a JoinAnswer) Place {
	since := c.at
	if !a.Success || !a.Position.Valid() {
		return PlaceNone
	}
	c.at = a.Position
	if a.Recovered && a.Position == since {
		return PlaceNext
	}
	return PlaceStart
}

// Resync returns PlaceStart and moves the chain to the position of r. If that is not valid, it
// returns PlaceNone.
func (c *Chain) Resync(r Resync) Place {
	if !r.Position.Valid() {
		return PlaceNone
	}
	c.at = r.Position
	return PlaceStart
}

// Skip moves the chain over the events that are missing before m, so that Take(m) continues it. It
// does nothing if none are.
func (c *Chain) Skip(m Message) {
	if m.Prev < m.Seq {
		c.at.Seq = max(c.at.Seq, m.Prev)
	}
}
