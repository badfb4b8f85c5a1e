package room_test

import (
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

type outcome string

const (
	anyOutcome outcome = ""
	granted    outcome = "granted"
)

// wantedJoin is how the model expects a join to be answered: granted, or an error code.
type wantedJoin struct {
	plan      string
	outcome   outcome
	recovered *bool // nil if the model does not know
	position  protocol.Position
	revoked   bool // Revoke was called at the same time
}

// since returns a position to join from: none, one that a client of the user had, or one that was
// never issued.
func (s *sim) since(c *client, plan string) *protocol.Position {
	p := protocol.Position{Epoch: s.epoch}
	last := s.model[plan].last
	switch s.rnd.IntN(9) {
	case 0, 1:
		return nil
	case 2:
		p.Epoch = "another"
	case 3:
		p.Seq = last + 1 + s.rnd.Uint64N(3) // ahead
	case 4:
		p.Seq = s.rnd.Uint64N(last + 1) // maybe another plan's
	case 5:
		at, err := s.hub.Position(s.t.Context(), plan)
		if err != nil {
			s.fail("Position: %v", err)
		}
		return &at
	default:
		other := pick(s.rnd, s.clients)
		p.Seq = other.view(plan).pos
	}
	return &p
}

// expect is how a join that is sent now will be answered.
func (s *sim) expect(c *client, plan string, since *protocol.Position) wantedJoin {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := wantedJoin{plan: plan, outcome: granted}
	_, member := s.members[membership{c.id, plan}]
	rooms := 0
	for m := range s.members {
		if m.conn == c.id {
			rooms++
		}
	}
	limit := s.opts.RoomsPerConnection
	_, forbidden := s.forbidden[place{plan, c.user}]
	switch {
	case !member && limit > 0 && rooms >= limit:
		want.outcome = outcome(protocol.ErrorTooManyRooms)
	case s.fault == "forbidden" || s.fault == noFault && forbidden:
		want.outcome = outcome(protocol.ErrorForbidden)
	case s.fault != noFault:
		want.outcome = outcome(protocol.ErrorUnavailable)
	default:
		p := s.model[plan]
		trial := *p
		trial.open(s.floorLocked(plan))
		trial.trim(s.opts.HistoryEvents, time.Now().Add(-30*time.Minute))
		yes := since != nil && since.Epoch == s.epoch && trial.recoverable(since.Seq)
		if !s.lossy || !yes || since.Seq == trial.last {
			want.recovered = &yes
		}
		want.position = protocol.Position{Epoch: s.epoch, Seq: trial.last}
	}
	return want
}

func (s *sim) join(c *client) {
	plan := pick(s.rnd, s.plans)
	since := s.since(c, plan)
	f := pick(s.rnd, []fault{noFault, noFault, noFault, noFault, noFault, noFault, noFault, "forbidden", "error", "panic", "hang"})
	s.mu.Lock()
	s.fault = f
	s.mu.Unlock()
	want := s.expect(c, plan, since)
	s.note("join %s %s since=%v fault=%q want %v", c.who(), plan, since, f, want.outcome)
	c.wants = append(c.wants, want)
	if v := c.view(plan); want.outcome == granted || c.isStalled() {
		v.ownUnknown = c.isStalled() // otherwise the answer has it
	}
	s.mu.Lock()
	s.leaving[membership{c.id, plan}] = want.outcome == outcome(protocol.ErrorForbidden)
	s.mu.Unlock()
	c.join(plan, since)
	if f == "hang" && want.outcome == outcome(protocol.ErrorUnavailable) {
		time.Sleep(5 * time.Second)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = noFault
	_, member := s.members[membership{c.id, plan}]
	if f == "panic" && want.outcome == outcome(protocol.ErrorUnavailable) && !c.isStalled() && s.codes[c.id] != protocol.CloseInternal && !s.ending(c) {
		s.failLocked("%s: closed with %d after a panic of Authorize", c.who(), s.codes[c.id])
	}
	switch {
	case want.outcome == granted && !member && !c.isStalled() && !c.isClosed():
		s.failLocked("%s did not become a member", c.who())
	case want.outcome == outcome(protocol.ErrorForbidden) && member: // I13
		s.failLocked("%s is a member without access", c.who())
	}
	if member {
		s.openLocked(plan)
	}
}

func (s *sim) leave(c *client) {
	plan := pick(s.rnd, s.plans)
	s.note("leave %s %s", c.who(), plan)
	s.mu.Lock()
	s.leaving[membership{c.id, plan}] = true
	s.mu.Unlock()
	c.leave(plan)
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, still := s.members[membership{c.id, plan}]; still && !c.isStalled() {
		s.failLocked("%s is still a member of %s", c.who(), plan)
	}
}
