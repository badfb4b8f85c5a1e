package history

import (
	"fmt"

	"github.com/planrooms/planrooms/protocol"
)

// Stream follows the events of a plan to one viewer, by the viewer's records of the plan and of its
// connections. It finds messages of nodes that are not true, and knows whether the viewer has to
// load the plan. The zero value is a stream without a connection. It is not safe for concurrent use.
type Stream struct {
	// Of the connection.
	open  bool               // it has not been closed, and the node has not said goodbye
	joins int                // that have no answer yet
	since *protocol.Position // in the last join
	live  bool               // a join was answered, and the viewer has not been removed since

	last uint64  // seq of the last event, or of a later position
	owed *Record // the message because of which the viewer has to load the plan; nil: none
	told bool    // the client has asked the program for that load
}

// Take follows one record. It returns what is wrong with it, or "".
func (s *Stream) Take(one Record) string {
	switch one.What {
	case Connect:
		s.open, s.joins, s.since, s.live = true, 0, nil, false
	case Closed, Goodbye:
		s.open, s.joins, s.since, s.live = false, 0, nil, false
	case Join:
		if s.since = one.Since; s.open {
			s.joins++
		}
	case Refused:
		s.joins = max(s.joins-1, 0)
	case Joined:
		return s.joined(one)
	case Resync:
		return s.resync(one)
	case Frame, Receipt:
		return s.event(one)
	case Removed:
		s.live = false
	case Reload:
		s.told = s.owed != nil
	case Load:
		if s.told {
			s.owed, s.told = nil, false
		}
	}
	return ""
}

// joined checks an answer to a join. If it says that the viewer is recovered, it has to continue at
// the viewer's position.
func (s *Stream) joined(one Record) (problem string) {
	continues := s.since != nil && one.Position != nil && *s.since == *one.Position
	switch {
	case s.joins == 0:
		problem = fmt.Sprintf("an answer on %s without a join on this connection", one.Node)
	case one.Position == nil:
		problem = fmt.Sprintf("an answer on %s without a position", one.Node)
	case one.Recovered && !continues:
		problem = fmt.Sprintf("recovered at %v on %s, but the client was at %v", *one.Position, one.Node, s.since)
	}
	s.joins = max(s.joins-1, 0)
	if one.Position != nil {
		s.last, s.live = one.Position.Seq, true
	}
	if !one.Recovered || !continues {
		s.owed, s.told = &one, false
	}
	return problem
}

func (s *Stream) resync(one Record) string {
	switch {
	case !s.live:
		return fmt.Sprintf("a resync without an answer to the join on %s", one.Node)
	case one.Position == nil:
		return fmt.Sprintf("a resync on %s without a position", one.Node)
	}
	s.last = one.Position.Seq
	if s.joins == 0 { // otherwise the client ignores it, and the answer to the join decides
		s.owed, s.told = &one, false
	}
	return ""
}

// event checks an event or a receipt. Events ascend, and the next one names that before it.
func (s *Stream) event(one Record) (problem string) {
	switch {
	case !s.live:
		problem = fmt.Sprintf("an event without an answer to the join on %s", one.Node)
	case one.Prev > s.last:
		problem = fmt.Sprintf("a hole: the event %d on %s follows %d, but the client has %d", one.Seq, one.Node, one.Prev, s.last)
	case one.Seq <= s.last:
		problem = fmt.Sprintf("the event %d on %s comes after %d", one.Seq, one.Node, s.last)
	}
	s.last = max(s.last, one.Seq)
	return problem
}

// Settled reports whether the viewer gets the events of the plan and does not have to load it.
func (s *Stream) Settled() bool { return s.live && s.owed == nil }
