package room

import "time"

// A node that has no tenure for a long time sends its clients to other nodes.

const (
	darkAfter  = 30 * time.Second // without a tenure, until all connections are closed
	darkSpread = 60 * time.Second // over which they are closed
	darkEvery  = 5 * time.Minute  // between two times that all connections are closed
)

// watch calls look every second until close. It is no part of beats, since Engine.Beat may not
// return.
func (c *cluster) watch() {
	for c.ctx.Err() == nil {
		c.look()
		c.sleep(beatEvery)
	}
}

// look closes all connections if the gate has been shut for darkAfter: another node probably has
// an engine that answers.
func (c *cluster) look() {
	c.mu.Lock()
	s, now := &c.log, c.now().Mono
	open := c.gate.open()
	switch {
	case open:
		s.dark = 0
	case s.dark == 0:
		s.dark = now
	}
	recent := s.darkened != 0 && now-s.darkened < int64(darkEvery)
	scatter := !open && now-s.dark >= int64(darkAfter) && !recent && !c.leaving
	if scatter {
		s.darkened = now
	}
	c.mu.Unlock()
	if scatter {
		c.logger.Error("room: no tenure for a long time; all connections are closed, so that the clients connect to another node")
		c.replica.scatter(darkSpread)
	}
}
