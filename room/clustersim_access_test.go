package room_test

import (
	"context"
	"fmt"
	"math"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
)

// Access in a simulated cluster.

func (s *clusterSim) authorize(_ context.Context, id auth.Identity, planID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, is := s.forbidden[place{planID, id.UserID}]; is {
		return fmt.Errorf("no: %w", room.ErrForbidden)
	}
	return nil
}

// forbid ends access, and returns a function to call when a call has returned that ends what was
// allowed before: from then on, nothing of these plans may reach these users, unless access was
// given again meanwhile.
func (s *clusterSim) forbid(places ...place) (ended func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	when := make(map[place]int)
	for _, at := range places {
		if _, is := s.forbidden[at]; !is {
			s.changes++
			s.forbidden[at] = s.changes
		}
		when[at] = s.forbidden[at]
	}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for at, n := range when {
			if now, is := s.forbidden[at]; !is || now != n {
				continue
			}
			s.revoked[at] = true
			for _, c := range s.clients {
				if c.user == at.user && c.peer != nil {
					c.barrier[at.plan] = span{c.bytes(), math.MaxInt64}
				}
			}
		}
	}
}

func (s *clusterSim) revoke() {
	n, user := pick(s.rnd, s.nodes), pick(s.rnd, s.users)
	if s.rnd.IntN(3) == 0 {
		ended := s.forbid(s.places(s.plans, []string{user})...)
		s.call(n, "revoke all plans of "+user, func(ctx context.Context) {
			_, err := n.RevokeUser(ctx, user)
			over(err, ended)
		})
		return
	}
	plan := pick(s.rnd, s.plans)
	ended := s.forbid(place{plan, user})
	s.call(n, "revoke "+plan+" of "+user, func(ctx context.Context) {
		_, err := n.Revoke(ctx, plan, user)
		over(err, ended)
	})
}

// over follows a call that ends access.
func over(err error, ended func()) {
	if err == nil {
		ended()
	}
}

func (s *clusterSim) recheck() {
	n, plan := pick(s.rnd, s.nodes), pick(s.rnd, s.plans)
	user := pick(s.rnd, s.users)
	if s.rnd.IntN(2) == 0 {
		ended := s.forbid(place{plan, user})
		s.call(n, fmt.Sprintf("recheck %s, without %s", plan, user), func(ctx context.Context) {
			_, err := n.Recheck(ctx, plan)
			over(err, ended)
		})
		return
	}
	ended := s.forbid(place{plan, user})
	s.call(n, fmt.Sprintf("recheck %s, who has lost %s", user, plan), func(ctx context.Context) {
		_, err := n.RecheckUser(ctx, user)
		over(err, ended)
	})
}

func (s *clusterSim) closePlan() {
	n, plan := pick(s.rnd, s.nodes), pick(s.rnd, s.plans)
	ended := s.forbid(s.places([]string{plan}, s.users)...)
	s.call(n, "close "+plan, func(ctx context.Context) {
		_, err := n.ClosePlan(ctx, plan)
		over(err, ended)
	})
}

func (s *clusterSim) disconnect() {
	n, user := pick(s.rnd, s.nodes), pick(s.rnd, s.users)
	var theirs []*clusterClient
	var peers []*peer
	for _, c := range s.clients {
		if c.user == user && c.isOpen() {
			theirs, peers = append(theirs, c), append(peers, c.peer)
		}
	}
	s.call(n, "disconnect "+user, func(ctx context.Context) {
		_, err := n.Disconnect(ctx, user)
		if err != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, c := range theirs {
			if c.peer == peers[i] && c.cutoff == 0 {
				c.cutoff = c.bytes()
			}
		}
	})
}

func (s *clusterSim) allow() {
	s.note("allow all")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.forbidden)
	clear(s.revoked)
	for _, c := range s.clients {
		for plan, b := range c.barrier {
			if c.peer != nil && b.to == math.MaxInt64 {
				c.barrier[plan] = span{b.from, c.bytes()}
			}
		}
	}
}

// places returns all pairs.
func (s *clusterSim) places(plans, users []string) (all []place) {
	for _, plan := range plans {
		for _, user := range users {
			all = append(all, place{plan, user})
		}
	}
	return all
}
