package room

import "github.com/planrooms/planrooms/protocol"

// What the outlet of a connection needs from its session.

var _ owner = (*Session)(nil)

// slow implements [owner].
func (s *Session) slow() {
	h := s.hub
	h.stats.slow.Add(1)
	if f := h.opts.Observer.Slow; f != nil {
		h.wg.Go(func() { h.observe(s, func() { f(s.Info()) }) })
	}
}

// tooSlow implements [owner].
func (s *Session) tooSlow() { s.closeLater(protocol.CloseTooSlow) }

// alive implements [owner].
func (s *Session) alive() { s.Seen() }

// resume implements [owner].
func (s *Session) resume() { s.hub.wg.Go(s.inbox.resume) }

// resynced implements [owner].
func (s *Session) resynced(plan string, at protocol.Position) {
	h := s.hub
	h.stats.resyncs.Add(1)
	if f := h.opts.Observer.Resync; f != nil {
		info := ResyncInfo{Connection: s.Info(), PlanID: plan, Position: at}
		h.wg.Go(func() { h.observe(s, func() { f(info) }) })
	}
}
