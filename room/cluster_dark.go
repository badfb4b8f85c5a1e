package room

import (
	"errors"
	"log/slog"
	"time"
)

// What a hub does about a node that is not ready: it says so in the log, and after a long time it
// sends the clients to other nodes.

const (
	darkAfter  = 30 * time.Second // without a tenure, until all connections are closed
	darkSpread = 60 * time.Second // over which they are closed
	darkEvery  = 5 * time.Minute  // between two times that all connections are closed
)

// watch calls look every second until close. It is no part of beats, since Engine.Beat may not
// return.
func (c *cluster) watch() {
	ready := false
	for c.ctx.Err() == nil {
		c.look()
		ready = c.reportReady(ready)
		c.sleep(beatEvery)
	}
}

// reportReady logs whether the node is ready, if that has changed, and returns it.
func (c *cluster) reportReady(was bool) bool {
	switch err := c.ready(); {
	case errors.Is(err, ErrHubClosed):
		return was
	case err == nil && !was:
		c.mu.Lock()
		node, tenure := c.log.node, c.own.Number()
		c.mu.Unlock()
		c.logs.log(slog.LevelInfo, "engine", "ready", "room: the node is ready", "node", node, "tenure", tenure)
		return true
	case err != nil && was:
		c.logs.warn("engine", "unready", "room: the node is not ready any more", "error", err)
		return false
	}
	return was
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
