package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/transport/client"
)

var moveRuns = []fault{
	{name: "moves", about: "a client moves between the nodes 100 times (-moves) while 2,000 events pass: nothing is lost, and it loads nothing", run: moves},
}

const (
	eventsPerMove = 20
	// freshEvery is how many moves lead to the nodes that run. The next one, and the last one of
	// all, lead to a fresh node.
	freshEvery = 24
)

// moves has a client connect to one node after the other. Its plan changes all the time.
func moves(ctx context.Context, t *trial) error {
	v := t.load.view("mover", t.load.balancer.url, "n1", t.load.busy[0], t.load.quiet)
	if err := t.await(ctx, "the client follows", t.load.follow); err != nil {
		return err
	}
	changes := func() uint64 { return t.load.publishers[0].now().Changes }
	begun, first := time.Now(), changes()
	fresh := 0
	var longest time.Duration
	for n := range t.options.moves {
		nodes := t.cluster.list()
		to := (n + 1) % len(nodes)
		if (n+1)%(freshEvery+1) == 0 || n+1 == t.options.moves {
			if err := t.refresh(ctx, to); err != nil {
				return err
			}
			fresh++
		}
		at := time.Now()
		if err := t.moveTo(ctx, v, nodes[to].name); err != nil {
			return err
		}
		longest = max(longest, time.Since(at))
		want := first + uint64(eventsPerMove*(n+1))
		if err := t.await(ctx, "the plan changes", func() bool { return changes() >= want }); err != nil {
			return err
		}
		if (n+1)%(freshEvery+1) == 0 {
			t.phase("%d moves", n+1)
		}
	}
	passed, took := changes()-first, time.Since(begun)
	t.check(func(h histories) {
		reasons := history.Reloads(h.records, v.name, t.load.busy[0])
		delete(reasons, string(client.ReloadJoined)) // when the client began
		connections := 0
		for _, r := range h.records {
			if r.Viewer == v.name && r.What == history.Connect {
				connections++
			}
		}
		t.note("%d moves, %d of them to a fresh node, in %.1f s while %d events passed; the longest took %.2f s; %d connections; loads: %s",
			t.options.moves, fresh, took.Seconds(), passed, longest.Seconds(), connections, sorted(reasons))
		switch {
		case connections <= t.options.moves:
			t.broke("the client has connected %d times, which is not enough for %d moves", connections, t.options.moves)
		case len(reasons) > 0 && t.options.lenient: // a node that lags for 2 s cannot know better
			t.note("the client has loaded its plan")
		case len(reasons) > 0:
			t.broke("the client has loaded its plan: %s", sorted(reasons))
		}
	})
	return nil
}

// moveTo moves the connection of a viewer to a node, and waits until it is there.
func (t *trial) moveTo(ctx context.Context, v *viewer, node string) error {
	before := v.connections()
	if !t.cluster.balancer.move(v.name, node) {
		return fmt.Errorf("%s is not connected", v.name)
	}
	return t.await(ctx, fmt.Sprintf("%s is connected to %s", v.name, node), func() bool {
		return v.connections() > before && v.isLive() && t.cluster.balancer.clients()[v.name] == node
	})
}

// sorted describes counts in the order of their names.
func sorted(counts map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return cmp.Or(strings.Join(list, ", "), "none")
}
