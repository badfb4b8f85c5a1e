package room

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Whether the node is ready. If it is not, it says so in the log; after a long time without a
// tenure it closes its connections, so that the clients find another node.

const (
	darkAfter  = 30 * time.Second // without a tenure, until all connections are closed
	darkSpread = 60 * time.Second // in which their clients connect again
	darkEvery  = 5 * time.Minute  // between two times that all connections are closed
)

// ready returns the result of Hub.Ready: nil, or why the node cannot serve clients.
func (c *cluster) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, applied := &c.log, c.timeline.applied.Load()
	size := c.fits(s.opened.MaxRecord)
	switch {
	case c.leaving:
		return ErrHubClosed
	case c.refused != nil:
		return fmt.Errorf("%w: %w", ErrNotReady, c.refused)
	case s.node == "":
		return fmt.Errorf("%w: the engine is not open yet", ErrNotReady)
	case size != nil: // the limit was lowered since; smaller events are still stored
		return fmt.Errorf("%w: %w", ErrNotReady, size)
	case !s.settled:
		return fmt.Errorf("%w: %d of %d records applied", ErrNotReady, applied, s.opened.Window.Last)
	case !c.gate.open():
		err := c.beatErr
		if err == nil {
			err = errors.New("the engine does not answer, or the node lags behind it")
		}
		return fmt.Errorf("%w: no tenure: %w", ErrNotReady, err)
	}
	return nil
}

// watch calls scatterIfDark and reportReady every second until close. beats does not, since
// Engine.Beat may not return.
func (c *cluster) watch() {
	ready := false
	for c.ctx.Err() == nil {
		c.scatterIfDark()
		ready = c.reportReady(ready)
		c.sleep(beatEvery)
	}
}

// reportReady reports whether the node is ready, and logs that if it has changed.
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

// scatterIfDark closes all connections if the gate has been shut for darkAfter: another node
// probably has an engine that answers.
func (c *cluster) scatterIfDark() {
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
