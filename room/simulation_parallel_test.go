package room_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// parallel does several actions at once. The model takes the outcome of joins afterwards.
func (s *sim) parallel() {
	plan := pick(s.rnd, s.plans)
	s.note("parallel on %s:", plan)
	s.excuse(plan, false)
	clients := slices.Clone(s.clients)
	clients = slices.DeleteFunc(clients, func(c *client) bool { return c.isClosed() })
	s.rnd.Shuffle(len(clients), func(i, j int) { clients[i], clients[j] = clients[j], clients[i] })
	var do []func()
	rnd := rand.New(rand.NewPCG(s.rnd.Uint64(), 0))
	n := 1 + rnd.IntN(20)
	do = append(do, func() {
		for range n {
			s.broadcast(rnd, plan)
		}
	})
	revoking := s.rnd.IntN(3) == 0
	user := pick(s.rnd, s.users)
	if revoking {
		s.note("  revoke %s", user)
		s.mu.Lock()
		s.forbidden[place{plan, user}] = time.Now()
		s.mu.Unlock()
		do = append(do, func() { s.revokeNow(plan, user) })
	}
	for _, c := range clients[:min(len(clients), 1+s.rnd.IntN(5))] {
		v := c.view(plan)
		v.ownUnknown = true
		switch s.rnd.IntN(7) {
		case 0, 1, 2:
			since := s.since(c, plan)
			s.note("  join %s since=%v", c.who(), since)
			s.mu.Lock()
			// A join that Authorize denies ends the membership. If the socket is in the middle of a
			// frame of the plan, the hub cuts the connection too, which must not look like a
			// vanished peer.
			_, forbidden := s.forbidden[place{plan, c.user}]
			s.leaving[membership{c.id, plan}] = forbidden
			s.mu.Unlock()
			c.wants = append(c.wants, wantedJoin{plan: plan, revoked: revoking && c.user == user})
			do = append(do, func() { c.join(plan, since) })
		case 3:
			s.note("  leave %s", c.who())
			s.mu.Lock()
			s.leaving[membership{c.id, plan}] = true
			s.mu.Unlock()
			do = append(do, func() { c.leave(plan) })
		case 4:
			s.note("  cut %s", c.who())
			do = append(do, func() { c.end(protocol.CloseAbnormal) })
		case 5:
			s.note("  presence %s", c.who())
			state := s.newState()
			do = append(do, func() { s.setPresence(c, plan, state) })
		case 6:
			s.note("  stall, unstall %s", c.who())
			if !c.isStalled() {
				do = append(do, func() { c.stall(); c.unstall() })
			}
		}
	}
	var wg sync.WaitGroup
	for _, f := range do {
		wg.Go(f)
	}
	wg.Wait()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, ok := s.left[place{plan, user}]; revoking && ok {
		d.unclear = true
		s.left[place{plan, user}] = d
	}
	for m := range s.members {
		if m.plan == plan {
			s.openLocked(plan)
			if revoking && s.members[m] == user {
				s.failLocked("%v is in after Revoke", m)
			}
		}
	}
}
