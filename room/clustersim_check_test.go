package room_test

import (
	"context"
	"testing/synctest"
	"time"
)

// quiesce ends all faults and checks C2: what every client has to know then.
func (s *clusterSim) quiesce() {
	s.note("all faults end")
	s.mend()
	for len(s.nodes) < 2 {
		s.start()
	}
	time.Sleep(callTime)
	time.Sleep(5 * 12 * time.Second) // a node whose notes are lost counts as gone after five times the ttl
	s.settle()
	for _, n := range s.nodes {
		if err := n.Ready(); err != nil {
			s.fail("%s is not ready although it has no fault: %v", n.name, err)
		}
	}
	s.raise()
	// Clients whose connection has ended, or whose join was refused, try again.
	for range 2 {
		for _, c := range s.clients {
			if !c.isOpen() {
				s.connect(c, pick(s.rnd, s.nodes))
				continue
			}
			for _, plan := range s.plans {
				if v := c.view(plan); v.wanted && !v.joined {
					s.ask(c, plan)
				}
			}
		}
		time.Sleep(5 * time.Second)
		s.settle()
	}
	s.checkPlans()
	s.raise()
	s.checkAlive()
	s.raise()
}

// mend ends all faults.
func (s *clusterSim) mend() {
	s.mendPublish()
	for _, n := range s.nodes {
		n.mend()
	}
	s.store.ThawLists()
	s.store.DropMessages(nil)
	s.frozen = false
	for _, c := range s.clients {
		if c.peer != nil && c.isStalled() {
			c.unstall()
		}
	}
}

// checkPlans checks what the clients know when the cluster has been healthy for a while.
func (s *clusterSim) checkPlans() {
	epoch := ""
	for _, n := range s.nodes {
		at, err := n.Position(s.t.Context(), "p")
		if epoch == "" {
			epoch = at.Epoch
		}
		if err != nil || at.Epoch != epoch {
			s.fail("C1: %s is in epoch %s, %s in %s: %v", n.name, at.Epoch, s.nodes[0].name, epoch, err)
		}
	}
	for _, c := range s.clients {
		for _, plan := range s.plans {
			if !s.follows(c, plan) {
				continue
			}
			v := c.view(plan)
			if at, _ := c.node.Position(s.t.Context(), plan); at.Epoch != v.pos.Epoch || at.Seq < v.pos.Seq {
				s.fail("C1: %s: is at %v of %s, its node at %v", c.who(), v.pos, plan, at)
			}
			s.checkView(c, plan, v)
		}
	}
}

// follows reports whether a client has to get the events of a plan. It fails the test if the client
// should, but is not in the plan.
func (s *clusterSim) follows(c *clusterClient, plan string) bool {
	v := c.view(plan)
	s.mu.Lock()
	_, forbidden := s.forbidden[place{plan, c.user}]
	s.mu.Unlock()
	switch {
	case !v.wanted || forbidden:
		return false
	case !c.isOpen():
		s.fail("C5: the connection of %s has ended with %d, in a cluster without a fault", c.who(), c.code())
		return false
	case !v.joined:
		s.fail("C5: %s has not been let into %s", c.who(), plan)
		return false
	}
	return true
}

// checkView checks what a client knows of a plan.
func (s *clusterSim) checkView(c *clusterClient, plan string, v *clusterView) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.plan != plan || v.covers(e) && !(e.reload && e.status == eventStored && v.loaded < e.id) {
			continue
		}
		switch {
		case e.status == eventPending:
			s.failLocked("C5: the call for event %d has not returned", e.id)
		case e.status == eventStored, e.status == eventUncertain && !e.excused:
			s.failLocked("C2: %s: misses event %d of %s (%v, status %d, reload %v), and is at %v, loaded %d",
				c.who(), e.id, plan, e.at, e.status, e.reload, v.pos, v.loaded)
			return
		}
	}
	if e := v.late; e != nil && e.status == eventUncertain && !e.excused {
		s.failLocked("C2: %s: event %d of %s came late, and no load followed: %+v", c.who(), e.id, plan, *e)
	}
}

// checkAlive publishes to each plan on each node. The events have to reach all clients, in order.
func (s *clusterSim) checkAlive() {
	var last []*clusterEvent
	for _, n := range s.nodes {
		for _, plan := range s.plans {
			e := s.commit(n, plan)
			last = append(last, e)
			at, err := n.Broadcast(s.t.Context(), plan, e.event())
			if err != nil {
				s.fail("C5: broadcast %d on %s: %v", e.id, n.name, err)
			}
			e.at = clusterSeq{at.Epoch, at.Seq}
			s.published([]*clusterEvent{e}, err)
		}
	}
	synctest.Wait()
	for _, c := range s.clients {
		s.receiveAll(c)
		for _, plan := range s.plans {
			if v := c.view(plan); s.follows(c, plan) {
				for _, e := range last {
					if e.plan == plan && !v.covers(e) {
						s.fail("C2: %s: event %d has not come, in a cluster without a fault", c.who(), e.id)
					}
				}
			}
		}
	}
	s.checkRevoke()
}

// checkRevoke revokes one plan of each user on one node, which takes no time without a fault.
func (s *clusterSim) checkRevoke() {
	n := pick(s.rnd, s.nodes)
	for _, user := range s.users {
		plan := pick(s.rnd, s.plans)
		ended := s.forbid(place{plan, user})
		ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
		_, err := n.Revoke(ctx, plan, user)
		cancel()
		if err != nil {
			s.fail("C5: Revoke on %s, in a cluster without a fault: %v", n.name, err)
		}
		over(err, ended)
	}
	synctest.Wait()
	if s.rnd.IntN(2) == 0 {
		s.allow()
	}
}
