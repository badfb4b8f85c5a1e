package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
)

// rechecked calls Observer.Rechecked.
func (h *Hub) rechecked(m *member, result RecheckResult, err error) {
	if f := h.opts.Observer.Rechecked; f != nil {
		h.observe(m.s, func() { f(RecheckInfo{Connection: m.s.Info(), PlanID: m.room.id, Result: result, Err: err}) })
	}
}

// evicted counts n events that were evicted, and calls Observer.Evicted.
func (h *Hub) evicted(planID string, n int) {
	if n == 0 {
		return
	}
	h.stats.evicted.Add(uint64(n))
	f := h.opts.Observer.Evicted
	if f == nil {
		return
	}
	call := func() { h.observe(nil, func() { f(EvictionInfo{PlanID: planID, Events: n}) }) }
	switch {
	case h.cluster == nil:
		call()
	case !h.cluster.evictions.add(call): // the caller may be the one that applies the log
		h.logs.warn("engine", "evicted", "room: calls of Observer.Evicted were dropped; it is too slow")
	}
}

// maxEvictions is how many calls of Observer.Evicted wait, with an engine.
const maxEvictions = 4096

// observeBroadcast calls Observer.Broadcast. Unlike observe it allocates nothing.
func (h *Hub) observeBroadcast(ctx context.Context, info BroadcastInfo) {
	defer h.recovered()
	h.opts.Observer.Broadcast(ctx, info)
}

// observeDelivered calls Observer.Delivered. Unlike observe it allocates nothing.
func (h *Hub) observeDelivered(info DeliveryInfo) {
	defer h.recovered()
	h.opts.Observer.Delivered(info)
}

// observe calls f, a function of the Observer that concerns s, or no connection if s is nil. A
// panic of f closes s, and so does runtime.Goexit.
func (h *Hub) observe(s *Session, f func()) {
	if !h.call(s, f) && s != nil {
		s.Close(protocol.CloseInternal)
	}
}

// call calls f as observe does, and reports whether it returned. With a connection, f runs in a new
// goroutine: runtime.Goexit in f must not end that of the caller, which has more to do.
func (h *Hub) call(s *Session, f func()) (ok bool) {
	if s == nil {
		return h.callHere(f)
	}
	s.callbacks.Add(1)
	returned := make(chan bool, 1)
	go func() { // ends with f, which is waited for
		ok := false
		defer func() { returned <- ok }()
		ok = h.callHere(f)
	}()
	ok = <-returned
	s.callbacks.Add(-1)
	h.returned.Add(1)
	return ok
}

// callHere calls f and reports whether it returned without a panic.
func (h *Hub) callHere(f func()) (ok bool) {
	defer h.recovered()
	f()
	return true
}

// recovered is deferred by whatever calls a function of the Observer. It ends and logs a panic.
func (h *Hub) recovered() {
	if v := recover(); v != nil {
		h.opts.Logger.Error("room: observer panicked", panicAttrs(v)...)
	}
}

// ReportRefusal counts a request that a transport did not serve in [Stats] and passes it to
// [Observer.Refused]. A transport calls it exactly once for each such request, also after the hub
// has been shut down.
func (h *Hub) ReportRefusal(r RefusalInfo) {
	r.Reason = h.stats.refusals.add(r.Reason)
	if f := h.opts.Observer.Refused; f != nil {
		h.observe(nil, func() { f(r) })
	}
}
