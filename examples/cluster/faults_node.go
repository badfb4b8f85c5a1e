package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

var nodeRuns = []fault{
	{name: "rolling", about: "each node is replaced by a new process that is ready before the old one ends: no viewer loads", run: rolling},
	{name: "clock", about: "the wall clock of a node jumps forward and back, then its monotonic clock", run: clockJumps},
	{name: "crash-presence", about: "kill -9 of a node with clients that do not come back: each other client gets one leave notice for each, within 15 s", run: crashPresence},
}

// rolling replaces all nodes, one after the other.
func rolling(ctx context.Context, t *trial) error {
	for i := range t.cluster.list() {
		if err := t.refresh(ctx, i); err != nil {
			return err
		}
		if err := t.load.more(ctx); err != nil {
			return err
		}
	}
	t.check(func(histories) {
		if n := len(t.report.Reloads); n > 0 {
			t.broke("viewers have loaded their plans: %v", t.report.Reloads)
		}
	})
	return nil
}

// refresh replaces a node by a fresh process, which is ready before the old one ends.
func (t *trial) refresh(ctx context.Context, index int) error {
	fresh, err := t.cluster.newNode(index)
	if err != nil {
		return err
	}
	t.phase("start another %s", fresh.name)
	t.cluster.startNode(fresh)
	if err := t.await(ctx, "the new node is ready", fresh.isReady); err != nil {
		fresh.close()
		return err
	}
	old := t.cluster.replace(index, fresh)
	t.phase("stop the old %s", old.name)
	old.process.stop()
	old.close()
	return t.await(ctx, "all viewers are connected", t.load.connected)
}

// clockJumps lets the clocks of a node jump. When they do not advance alike, its tenure ends, and
// it begins another one.
func clockJumps(ctx context.Context, t *trial) error {
	n := t.node()
	for _, jump := range []struct{ wall, monotonic time.Duration }{{time.Hour, 0}, {-2 * time.Hour, 0}, {0, time.Hour}, {10 * time.Second, 10 * time.Second}} {
		var r report
		if err := get(ctx, n.base().JoinPath("/cluster"), &r); err != nil {
			return err
		}
		begun := time.Now()
		t.phase("%s: the wall clock jumps by %v, the monotonic clock by %v", n.name, jump.wall, jump.monotonic)
		q := url.Values{"wall": {jump.wall.String()}, "monotonic": {jump.monotonic.String()}}
		to := n.base().JoinPath("/clock")
		to.RawQuery = q.Encode()
		if err := post(ctx, to, nil); err != nil {
			return err
		}
		open, err := t.nextTenure(ctx, n, r.Cluster.Tenure)
		if err != nil {
			return fmt.Errorf("the tenure goes on although the clocks have jumped by %v and %v: %w", jump.wall, jump.monotonic, err)
		}
		t.phase("another tenure after %.1f s", open.Open.Sub(begun).Seconds())
		if err := t.await(ctx, "all nodes are ready", t.cluster.ready); err != nil {
			return err
		}
		if err := t.load.more(ctx); err != nil {
			return err
		}
	}
	return nil
}

// crashPresence kills a node. Some of its clients are connected without the balancer, and cannot
// come back.
func crashPresence(ctx context.Context, t *trial) error {
	n := t.node()
	var users []string
	var gone []string
	for i := range t.options.viewers {
		v := t.load.direct(n, t.load.busy[i%busyPlans], t.load.quiet)
		users, gone = append(users, v.user), append(gone, v.name)
	}
	if err := t.await(ctx, "all list the direct viewers", t.load.follow); err != nil {
		return err
	}
	at := time.Now()
	t.phase("kill %s", n.name)
	n.process.kill()
	t.terms.Gone = append(t.terms.Gone, gone...)
	if err := t.await(ctx, "no one lists those who are gone", func() bool { return t.load.connected() && t.load.sameLists() }); err != nil {
		return err
	}
	t.check(func(h histories) { t.departures(h, users, gone, n.name, at) })
	t.phase("start %s again", n.name)
	return n.start(ctx)
}

// departures checks which messages the viewers received about users who left with their node.
func (t *trial) departures(h histories, users, gone []string, node string, at time.Time) {
	var longest time.Duration
	leaves := 0
	for _, d := range history.Departures(h.records, t.load.quiet, users, at) {
		if slices.Contains(gone, d.Viewer) {
			continue
		}
		// A viewer that has connected again has got a list, and may have missed the message.
		if d.Leaves > 1 || d.Leaves == 0 && !d.Joined || d.Enters > 0 {
			t.broke("%s received %d notices that %s has left, and %d that they came back", d.Viewer, d.Leaves, d.User, d.Enters)
		}
		leaves += d.Leaves
		longest = max(longest, d.After)
	}
	t.note("%d users left with %s; the others received %d notices, after at most %.1f s", len(users), node, leaves, longest.Seconds())
	t.within(15*time.Second, longest, "the notice that users of %s have left", node)
}
