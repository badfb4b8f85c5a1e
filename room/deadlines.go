package room

import (
	"math"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// pingGrid is the distance of the moments at which connections are pinged: one timer then serves
// many connections. It applies where Options.PingEvery is at least a hundred times as long.
const pingGrid = 100 * time.Millisecond

// deadlines are what a connection is measured by: the expiry of its token, its first message, and
// signs of life. One timer serves all three. Guarded by Session.mu.
type deadlines struct {
	timer  timer
	ping   int64 // when the next ping is due or, after it was sent, its sign of life; see Hub.clock
	pinged int64 // when the ping was sent that waits for a sign of life; 0 if none does
}

// setTimers starts what a new connection is measured by.
func (s *Session) setTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return
	}
	d := &s.deadlines
	d.timer = timer{f: s.deadline}
	d.ping = math.MaxInt64
	if every := s.hub.opts.PingEvery; every > 0 {
		d.ping = s.hub.clock() + int64(every)
		if every >= 100*pingGrid {
			d.ping -= d.ping % int64(pingGrid)
		}
	}
	s.setTimerLocked()
}

// setTimerLocked sets the timer for the next deadline.
func (s *Session) setTimerLocked() {
	next := s.deadlines.ping
	now := time.Now()
	if at := s.identity.ExpiresAt; !at.IsZero() {
		next = min(next, s.hub.clockAt(now)+int64(at.Sub(now)))
	}
	if !s.spoken.Load() {
		next = min(next, s.silentAt())
	}
	if next < math.MaxInt64 {
		s.hub.timers.resetAt(&s.deadlines.timer, next)
	} else {
		s.hub.timers.stop(&s.deadlines.timer)
	}
}

// silentAt is when a client must have sent its first message.
func (s *Session) silentAt() int64 {
	return s.hub.clockAt(s.since.Add(s.hub.opts.FirstMessageTimeout))
}

// deadline acts on the deadlines that have passed. It runs in the timers' goroutine.
func (s *Session) deadline() {
	h := s.hub
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return
	}
	d, now := &s.deadlines, time.Now()
	clock := h.clockAt(now)
	var code protocol.CloseCode
	var ping bool
	switch at := s.identity.ExpiresAt; {
	case !at.IsZero() && !now.Before(at): // not so if it was renewed, or the wall clock set back
		code = protocol.CloseUnauthorized
	case !s.spoken.Load() && clock >= s.silentAt():
		code = protocol.CloseTimeout
	case clock < d.ping:
	case d.pinged == 0:
		ping = true
		d.pinged, d.ping = clock, d.ping+int64(h.opts.PingTimeout)
	case s.seen.Load() < d.pinged: // a byte that came with the ping itself counts
		code = protocol.CloseTimeout
	default:
		sent := d.ping - int64(h.opts.PingTimeout)
		d.pinged, d.ping = 0, max(sent+int64(h.opts.PingEvery), clock)
	}
	if code == 0 {
		s.setTimerLocked()
	}
	s.mu.Unlock()
	switch {
	case code != 0:
		s.closeLater(code)
	case ping:
		s.out.sendPing()
	}
}
