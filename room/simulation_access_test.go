package room_test

import (
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

func (s *sim) revoke() {
	plan, user := pick(s.rnd, s.plans), pick(s.rnd, s.users)
	s.note("revoke %s %s", plan, user)
	if s.rnd.IntN(2) == 0 {
		s.mu.Lock()
		s.forbidden[place{plan, user}] = time.Now()
		s.mu.Unlock()
	}
	s.revokeNow(plan, user)
	s.mu.Lock()
	defer s.mu.Unlock()
	for m, who := range s.members {
		if m.plan == plan && who == user {
			s.failLocked("%v is a member after Revoke", m)
		}
	}
}

func (s *sim) revokeNow(plan, user string) {
	s.mu.Lock()
	at := place{plan, user}
	s.revoking[at] = true
	s.mu.Unlock()
	if _, err := s.hub.Revoke(s.t.Context(), plan, user); err != nil {
		s.fail("Revoke: %v", err)
	}
	// I2: bytes that were not taken by now must never be written.
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.revoking, at)
	if d, ok := s.left[at]; ok {
		d.immediate = true // a lingering user is removed
		s.left[at] = d
	}
	for _, c := range s.clients {
		if c.user == user {
			c.barrier[plan] = c.bytes()
		}
	}
}

func (s *sim) forbid() {
	at := place{pick(s.rnd, s.plans), pick(s.rnd, s.users)}
	s.note("forbid %v", at)
	if _, already := s.forbidden[at]; !already {
		s.forbidden[at] = time.Now()
	}
}

func (s *sim) allow() {
	s.note("allow all")
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.forbidden)
}

func (s *sim) disconnect() {
	user := pick(s.rnd, s.users)
	s.note("disconnect %s", user)
	var theirs []*client
	for _, c := range s.clients {
		if c.user == user && !c.isClosed() {
			theirs = append(theirs, c)
		}
	}
	s.mu.Lock()
	for _, plan := range s.plans {
		s.revoking[place{plan, user}] = true
	}
	s.mu.Unlock()
	if _, err := s.hub.Disconnect(s.t.Context(), user); err != nil {
		s.fail("Disconnect: %v", err)
	}
	s.mu.Lock()
	for _, plan := range s.plans {
		at := place{plan, user}
		delete(s.revoking, at)
		if d, ok := s.left[at]; ok {
			d.immediate = true // a lingering user is removed
			s.left[at] = d
		}
	}
	s.mu.Unlock()
	for _, c := range theirs {
		for _, plan := range s.plans {
			c.barrier[plan] = c.bytes()
		}
	}
	synctest.Wait()
	for _, c := range theirs {
		if code := s.receiveAll(c); !c.isStalled() && (code != protocol.CloseForbidden || !c.isClosed()) {
			s.fail("%s was not disconnected but got %d", c.who(), code)
		}
	}
}

func (s *sim) renew(c *client) {
	if time.Since(c.authenticate) < 11*time.Second {
		return
	}
	c.authenticate = time.Now()
	token := pick(s.rnd, []string{"bad", c.user + " 1h", c.user + " 0s", c.user + " 5m", "mallory 1h"})
	s.note("authenticate %s %q", c.who(), token)
	if id, err := s.verify(s.t.Context(), token); err == nil && id.UserID == c.user {
		c.expires = id.ExpiresAt
	}
	c.request(protocol.Request{Type: protocol.TypeAuthenticate, Token: token})
}
