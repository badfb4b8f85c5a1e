// Package source has the numbers of a hub that packages metrics and otelroom export, with their
// names in both. One table keeps the two the same.
package source

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room"
)

// Source reads the numbers of one hub. The zero value is ready. Its methods may be called
// concurrently.
type Source struct {
	hub    atomic.Pointer[room.Hub]
	totals totals
}

// totals counts what Stats does not: it comes from the Observer.
type totals struct {
	broadcastBytes, deliveries, deliveryBytes, late atomic.Uint64
}

// Watch sets the hub. A second call panics: the counters of two hubs cannot be distinguished.
func (s *Source) Watch(hub *room.Hub) {
	if hub == nil {
		panic("Watch: the hub is nil")
	}
	if !s.hub.CompareAndSwap(nil, hub) {
		panic("Watch was called before: each hub needs a value of its own")
	}
}

// Hooks are called in addition to the functions of the host's Observer.
type Hooks struct {
	Broadcast func(context.Context, room.BroadcastInfo) // may be nil
	Lag       func(time.Duration)                       // of each pass of a pump that had events
}

// Observer returns next with functions that also count.
func (s *Source) Observer(next room.Observer, hooks Hooks) room.Observer {
	o := next
	o.Broadcast = func(ctx context.Context, b room.BroadcastInfo) {
		s.totals.broadcastBytes.Add(uint64(b.Bytes))
		if hooks.Broadcast != nil {
			hooks.Broadcast(ctx, b)
		}
		if next.Broadcast != nil {
			next.Broadcast(ctx, b)
		}
	}
	o.Delivered = func(d room.DeliveryInfo) {
		if d.Events > 0 { // else it had only notices of presence
			n := uint64(d.Connections)
			s.totals.deliveries.Add(n * uint64(d.Events))
			s.totals.deliveryBytes.Add(n * uint64(d.Bytes))
			s.totals.late.Add(uint64(d.Late))
			hooks.Lag(d.Lag)
		}
		if next.Delivered != nil {
			next.Delivered(d)
		}
	}
	return o
}

// Read calls emit with each value of each metric. Before Watch it calls it for the metrics that do
// not come from the hub.
func (s *Source) Read(emit func(m *Metric, label string, value int64)) {
	n := numbers{totals: &s.totals}
	if hub := s.hub.Load(); hub != nil {
		n.stats = hub.Stats()
		n.ready = hub.Ready() == nil
		n.cluster, n.clustered = hub.Cluster()
		n.watching = true
	}
	for i := range Metrics {
		m := &Metrics[i]
		if n.watching || m.observed {
			m.read(&n, func(label string, value int64) { emit(m, label, value) })
		}
	}
}
