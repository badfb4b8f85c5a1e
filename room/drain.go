package room

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Shutdown ends the hub. From its start on every other method returns [ErrHubClosed]; what has a position is still delivered. The
// connections are told goodbye (4503) in paced batches, each with a slot of its own in which to come back, so that they
// do not all come at once. What is left when ctx ends is cut, and Shutdown returns ctx's error.
//
// It returns once no goroutine of the hub is left; a host's callback that does not listen to its context is waited for
// no longer than a second after ctx. Call it after [net/http.Server.Shutdown], which does not wait for WebSocket connections.
// A second call waits for the first.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		select {
		case <-h.drained:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	h.closed = true
	sessions := make([]*Session, 0, len(h.sessions))
	for s := range h.sessions {
		sessions = append(sessions, s)
	}
	h.mu.Unlock()
	defer close(h.drained)

	gone := make(chan struct{})
	go func() { // ends with the last session; waited for below
		h.open.Wait()
		close(gone)
	}()
	err := h.drain(ctx, sessions)
	if err == nil {
		select {
		case <-gone:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil {
		h.mu.RLock()
		sessions = slices.AppendSeq(sessions, maps.Keys(h.closing)) // those that were closing before, too
		h.mu.RUnlock()
		for _, s := range sessions {
			s.out.cut()
		}
	}
	h.cancel() // callbacks that still run are told
	h.await(gone)
	h.timers.close()
	idle := make(chan struct{})
	go func() { // ends with the last goroutine of the hub
		h.wg.Wait()
		close(idle)
	}()
	h.await(idle)

	h.mu.Lock()
	for _, r := range h.rooms {
		r.mu.Lock()
		h.deleteLocked(r)
		r.mu.Unlock()
	}
	h.mu.Unlock()
	return err
}

// await waits for done, but no longer than a second: only a host's callback can keep it from being closed.
func (h *Hub) await(done <-chan struct{}) {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		h.opts.Logger.Error("room: a callback did not return in time; its goroutine is left behind")
	}
}

// drain tells everybody goodbye, a batch at a time. The pauses shrink if ctx would end before the last batch.
func (h *Hub) drain(ctx context.Context, sessions []*Session) error {
	pause := drainPause
	batches := (len(sessions) + drainBatch - 1) / drainBatch
	if deadline, ok := ctx.Deadline(); ok && batches > 1 {
		pause = min(pause, time.Until(deadline)/2/time.Duration(batches))
	}
	for i, s := range sessions {
		if i > 0 && i%drainBatch == 0 && pause > 0 {
			t := time.NewTimer(pause)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.drain(drainFirstRetry + time.Duration(i)*drainRetryStep)
	}
	return nil
}

// drain ends the connection after everything that has a position was written to it.
func (s *Session) drain(retry time.Duration) {
	members, first := s.beginClosing(protocol.CloseShutdown)
	if !first {
		return
	}
	s.hub.unregister(s)
	s.out.drain(members, s.lastFrames(protocol.CloseShutdown, retry))
}
