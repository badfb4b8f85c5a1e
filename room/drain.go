package room

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Shutdown ends the hub. From its start all other methods that return an error, except Explain,
// return [ErrHubClosed]. Events that have a position are still delivered. Then each connection gets
// goodbye (4503) with its own time to come back, in paced batches, so that the clients do not
// reconnect all at once. When ctx ends, Shutdown cuts the connections that are left and returns
// ctx's error.
//
// With an engine, methods that broadcast or end access, and Resync, return ErrHubClosed only once
// Shutdown has closed the engine, after the connections have ended: a request whose change is
// committed can still publish it. Before that, Shutdown waits for broadcasts that have begun, and
// until the log says of each that failed that clients have to load the plan: until ctx ends, but at
// most PublishTimeout or 12 s, whichever is longer. It logs what it gives up. Then it takes up to
// 2 s to let the other nodes know, even if ctx has ended.
//
// It returns once no goroutine of the hub is left. A callback of the host that does not return
// keeps its goroutine: Shutdown waits for it up to 5 s, or 1 s after the end of ctx, and returns
// [ErrCallback]. A callback that calls Shutdown must do so in a new goroutine. Otherwise the
// callback cannot return before Shutdown, which then returns ErrCallback.
//
// Call it after [net/http.Server.Shutdown], which does not wait for WebSocket connections. A second
// call waits for the first.
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
	// No room takes an event from now on, but records are still applied. What is applied by now is in
	// the rooms.
	epoch, applied := h.timeline.current(), h.timeline.applied.Load()
	h.closed = true
	sessions := make([]*Session, 0, len(h.sessions))
	for s := range h.sessions {
		sessions = append(sessions, s)
	}
	rooms := slices.Collect(maps.Values(h.rooms)) // no room is created from now on
	h.mu.Unlock()
	defer close(h.drained)
	for _, r := range rooms {
		r.mu.Lock() // waits for a call that found the hub open
		r.closed, r.closedAt = true, protocol.Position{Epoch: epoch, Seq: max(r.log.last, applied)}
		r.mu.Unlock()
	}

	gone := make(chan struct{})
	go func() { // ends with the last session; waited for below
		h.open.Wait()
		close(gone)
	}()
	err := h.drain(ctx, sessions)
	if err == nil {
		err = h.awaitSessions(ctx, gone)
	}
	if err != nil {
		h.mu.RLock()
		for userID := range h.closing { // those that were closing before, too
			sessions = h.closing.appendTo(sessions, userID)
		}
		h.mu.RUnlock()
		for _, s := range sessions {
			s.out.abort()
		}
	}
	if h.cluster != nil {
		h.cluster.awaitResyncs(ctx)
		h.cluster.leave(context.WithoutCancel(ctx))
		h.cluster.close()
	}
	h.cancel() // ends the contexts of callbacks that still run
	h.access.slots.close()
	left := !await(gone)
	h.timers.close()
	idle := make(chan struct{})
	go func() { // ends with the last goroutine of the hub
		h.wg.Wait()
		close(idle)
	}()
	if left = !await(idle) || left; left {
		h.opts.Logger.Error(ErrCallback.Error())
		err = cmp.Or(err, ErrCallback)
	}

	for _, r := range collect(h.mu.RLocker(), maps.Values(h.rooms)) {
		if r.lockLive() {
			r.deleteLocked()
			r.mu.Unlock()
		}
		h.remove(r)
	}
	return err
}

// callbackTimeout is how long Shutdown waits for a function of the Observer once nothing else is
// left to wait for.
const callbackTimeout = 5 * time.Second

// awaitSessions waits until gone is closed, which the last session does. Errors: that of ctx when
// it ends, and ErrCallback if for callbackTimeout each session that is left has been waiting for a
// function of the Observer, and none of these has returned. One that has called Shutdown itself
// never would.
func (h *Hub) awaitSessions(ctx context.Context, gone <-chan struct{}) error {
	type progress struct {
		sessions int
		returned uint64
	}
	const every = time.Second
	var last progress
	stuck := time.Duration(0)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-gone:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		sessions, blocked := h.inCallbacks()
		now := progress{sessions, h.returned.Load()}
		if stuck += every; !blocked || now != last {
			stuck, last = 0, now
		}
		if stuck >= callbackTimeout {
			return ErrCallback
		}
	}
}

// inCallbacks counts the sessions that have not ended, and reports whether a function of the
// Observer runs for each of them.
func (h *Hub) inCallbacks() (sessions int, all bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	all = true
	count := func(set map[*Session]struct{}) {
		for s := range set {
			sessions++
			all = all && s.callbacks.Load() > 0
		}
	}
	count(h.sessions)
	for _, set := range h.closing {
		count(set)
	}
	return sessions, all
}

// await waits for done, but for a second only: after that, a callback of the host must be running.
func await(done <-chan struct{}) bool {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// drain sends goodbye to all sessions, in batches. The pauses between batches shrink if ctx would
// otherwise end before the last batch.
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

// drain ends the connection after all events that have a position were written to it.
func (s *Session) drain(retry time.Duration) {
	members, _, first := s.beginClosing(protocol.CloseShutdown)
	if !first {
		return
	}
	s.hub.unregister(s)
	subs, receipts := make([]*subscription, len(members)), make([][]byte, len(members))
	for i, m := range members {
		subs[i], receipts[i] = &m.subscription, m.lastReceipt()
	}
	s.out.drain(subs, receipts, s.farewell(protocol.CloseShutdown, retry))
}

// lastReceipt returns a receipt that moves the client of a quiet plan to the end of the log, so
// that it can resume on another node, however long ago the last event of the plan was. It is
// written after all events of the plan that this hub delivers. It returns nil if the client needs
// none.
func (m *member) lastReceipt() []byte {
	r := m.room
	r.mu.Lock()
	at, last, epoch := r.closedAt, r.log.last, r.epoch
	r.mu.Unlock()
	if at.Seq <= last || at.Epoch != epoch { // the log may have lost records since
		return nil
	}
	meta := protocol.EventMeta{PlanID: m.plan, Timestamp: time.Now()}
	return m.out.framing.AppendMessage(nil, protocol.AppendReceipt(nil, meta, at.Seq, last))
}
