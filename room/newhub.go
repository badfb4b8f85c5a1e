package room

import (
	"context"
	"crypto/rand"
	"time"
)

// NewHub returns a hub. It copies opts. It panics for an invalid value, as [Options] describes it.
// An idle hub without an engine has no goroutine. With an engine, NewHub does not wait for it: the
// hub opens it in the background. See [Hub.Ready].
func NewHub(opts *Options) *Hub {
	h := &Hub{
		opts:     opts.withDefaults(),
		rooms:    make(map[string]*room),
		sessions: make(map[*Session]struct{}),
		users:    make(map[string][]*Session),
		accounts: make(map[string]*account),
		closing:  make(index[*Session]),
		drained:  make(chan struct{}),
		start:    time.Now(),
	}
	epoch := rand.Text()
	h.timeline.epoch.Store(&epoch)
	h.stats.init()
	h.timers.start = h.start
	h.ctx, h.cancel = context.WithCancel(context.Background())
	o := &h.opts
	h.outlets = outlets{wg: &h.wg, timers: &h.timers, writeTimeout: o.WriteTimeout, queueBytes: o.QueuePerConnection, start: h.start, timeline: &h.timeline}
	if o.Observer.Delivered != nil {
		h.outlets.delivered = h.observeDelivered
	}
	h.janitor = periodic{timers: &h.timers, every: o.JanitorEvery, round: h.clean}
	h.budget.total = int64(o.HistoryTotal)
	h.logs.logger = o.Logger
	h.guard = guard{ctx: h.ctx, timeout: o.AuthorizeTimeout, logger: o.Logger, start: h.wg.Go}
	h.access.authorize, h.access.guard = o.Authorize, &h.guard
	h.access.slots.init(h.ctx, &h.timers, o.AuthorizeTimeout, o.AuthorizeParallel)
	h.rechecks = rechecks{
		access: &h.access, timers: &h.timers, logs: &h.logs, start: h.wg.Go,
		every: o.ReauthorizeEvery, removeAfter: o.RemoveAfter, removals: removals{start: h.wg.Go},
	}
	if o.Engine != nil {
		h.joinCluster()
	}
	return h
}
