package room

import (
	"context"
	"crypto/rand"
	"math"
	"os"

	"github.com/planrooms/planrooms/room/internal/record"
)

// A hub with Options.Engine is a node of a cluster.

// joinCluster makes the hub a node, and starts the goroutines that this takes.
func (h *Hub) joinCluster() {
	o := &h.opts
	host := o.Node
	if host == "" {
		host, _ = os.Hostname() // only for people
	}
	c := &cluster{
		engine: o.Engine, name: o.Cluster, hash: record.ClusterHash(o.Cluster), host: host, maxPayload: o.MaxPayload,
		historyAge: o.HistoryAge, publishFor: o.PublishTimeout, clock: o.Clock, now: momentBy(o.Clock), replica: h, timeline: &h.timeline,
		logs: &h.logs, logger: o.Logger, start: h.wg.Go, messages: newBacklog[message](maxMessages),
		notifies: newAside(maxNotifies), evictions: newAside(maxEvictions), opened: make(chan struct{}), beatNow: make(chan struct{}, 1), idPrefix: rand.Text(),
	}
	c.nearest.Store(math.MaxUint64)
	c.ctx, c.cancel = context.WithCancel(h.ctx)
	c.gate = &gate{clock: c.now, start: h.wg.Go}
	h.cluster, h.outlets.gate = c, c.gate
	h.joinRosters(c)
	h.wg.Go(c.run)
	h.wg.Go(c.deliver)
	h.wg.Go(func() { c.notifies.run(c.ctx, c.start) })
	h.wg.Go(func() { c.evictions.run(c.ctx, c.start) })
	h.wg.Go(c.watch)
}

// Ready returns nil if this hub can serve clients, and else an error that wraps [ErrNotReady]: the
// engine is not open, does not answer, or this hub has yet to read the log. After Shutdown has
// begun it is [ErrHubClosed]. A load balancer should send no clients while it is not nil; those
// that are connected receive nothing until it is nil again, and miss nothing. There is one other
// reason: the server of the engine was started again with a limit that is too low for events of
// MaxPayload. Smaller ones are then stored and delivered. Without an engine a hub is always ready
// until Shutdown.
func (h *Hub) Ready() error {
	if h.isClosed() {
		return ErrHubClosed
	}
	if h.cluster != nil {
		return h.cluster.ready()
	}
	return nil
}

// Cluster returns what this hub knows of the cluster, for operators: it asks no other node. ok is
// false without an engine. It may be called concurrently, and after Shutdown.
func (h *Hub) Cluster() (info ClusterInfo, ok bool) {
	if h.cluster == nil {
		return ClusterInfo{}, false
	}
	return h.cluster.info(), true
}
