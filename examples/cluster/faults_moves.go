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
	// Each move with a multiple of this number, and the last one, leads to a fresh node.
	freshEvery = 25
	// lagging is how long a node takes at least for an answer not_recovered because it lags: it first
	// waits 2 s until it has applied the log up to the position of the client.
	lagging = 1900 * time.Millisecond
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
		if (n+1)%freshEvery == 0 || n+1 == t.options.moves {
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
		if (n+1)%freshEvery == 0 {
			t.phase("%d moves", n+1)
		}
	}
	passed, took := changes()-first, time.Since(begun)
	t.check(func(h histories) {
		loads, lagged := moveLoads(h.records, v.name, t.load.busy[0])
		connections := 0
		for _, r := range h.records {
			if r.Viewer == v.name && r.What == history.Connect {
				connections++
			}
		}
		t.note("%d moves, %d of them to a fresh node, in %.1f s while %d events passed; the longest took %.2f s; %d connections; loads: %s",
			t.options.moves, fresh, took.Seconds(), passed, longest.Seconds(), connections, sorted(loads))
		if connections <= t.options.moves {
			t.broke("the client has connected %d times, which is not enough for %d moves", connections, t.options.moves)
		}
		t.judgeLoads(loads, lagged)
	})
	return nil
}

// moveLoads counts the loads of a viewer of a plan by reason, without the first one, with which it
// began. lagged counts those after a join that the node answered with not_recovered, and
// so late that it lagged.
func moveLoads(records []history.Record, viewer, plan string) (loads map[string]int, lagged int) {
	loads = make(map[string]int)
	var joined time.Time
	begun := false
	for _, one := range records {
		switch {
		case one.Viewer != viewer || one.Plan != plan:
		case one.What == history.Join:
			joined = one.Time
		case one.What == history.Reload && !begun && one.Reason == string(client.ReloadJoined):
			begun = true
		case one.What == history.Reload:
			loads[one.Reason]++
			if one.Reason == string(client.ReloadNotRecovered) && one.Time.Sub(joined) >= lagging {
				lagged++
			}
		}
	}
	return loads, lagged
}

// judgeLoads checks that the client has loaded nothing. A lenient run only notes loads from nodes
// that lagged.
func (t *trial) judgeLoads(loads map[string]int, lagged int) {
	total := 0
	for _, n := range loads {
		total += n
	}
	switch {
	case total == 0:
	case t.options.lenient && total == lagged:
		t.note("the client has loaded its plan %d times, since a node lagged", lagged)
	default:
		t.broke("the client has loaded its plan: %s; %d times since a node lagged", sorted(loads), lagged)
	}
}

// moveTo moves the connection of a viewer to a node, and waits until it is there. It first waits
// until there is one: a node that was not ready for a moment may have lost it.
func (t *trial) moveTo(ctx context.Context, v *viewer, node string) error {
	var before int
	err := t.await(ctx, v.name+" is connected", func() bool {
		before = v.connections()
		return t.cluster.balancer.move(v.name, node)
	})
	if err != nil {
		return err
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
