package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// setTimers starts what a new connection is measured by.
func (s *Session) setTimers(now time.Time) {
	h := s.hub
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	if at := s.identity.ExpiresAt; !at.IsZero() {
		s.expiry = h.timers.after(at.Sub(now), s.expire)
	}
	if !s.spoken.Load() {
		s.silence = h.timers.after(h.opts.FirstMessageTimeout, s.silent)
	}
	if h.opts.PingEvery > 0 {
		s.pinger = h.timers.after(h.opts.PingEvery, s.pingTick)
	}
}

// expire ends a connection whose token was not renewed in time.
func (s *Session) expire() {
	s.mu.Lock()
	at := s.identity.ExpiresAt
	early := at.IsZero() || time.Now().Before(at) // renewed meanwhile, or the wall clock was set back
	if early && !at.IsZero() && !s.closing {
		s.hub.timers.reset(s.expiry, time.Until(at))
	}
	s.mu.Unlock()
	if !early {
		s.closeLater(protocol.CloseUnauthorized)
	}
}

// silent ends a connection that never said anything.
func (s *Session) silent() {
	if !s.spoken.Load() {
		s.closeLater(protocol.CloseTimeout)
	}
}

// pingTick sends a ping every PingEvery, and ends the connection if no byte came within PingTimeout
// of it.
func (s *Session) pingTick() {
	h := s.hub
	now := time.Now()
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	if s.pinged.IsZero() {
		s.pinged = now
		h.timers.reset(s.pinger, h.opts.PingTimeout)
		s.mu.Unlock()
		s.out.sendPing()
		return
	}
	// A byte that came with the ping itself counts: the clocks of one machine are compared.
	if s.lastSeen().Before(s.pinged) {
		s.mu.Unlock()
		s.closeLater(protocol.CloseTimeout)
		return
	}
	h.timers.reset(s.pinger, max(s.pinged.Add(h.opts.PingEvery).Sub(now), 0))
	s.pinged = time.Time{}
	s.mu.Unlock()
}
