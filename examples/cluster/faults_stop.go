package main

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

var stopRuns = []fault{{
	name:  "stop-node",
	about: "SIGSTOP of a node past its tenure, then SIGCONT: what it writes to its clients before it has another tenure",
	run:   stopNode,
}}

// stopNode stops a node until its tenure has passed. Meanwhile a user loses access to a plan by a
// call on another node. Clients that are connected to the node without the balancer, which would
// cut them, see what it writes when it continues.
func stopNode(ctx context.Context, t *trial) error {
	n := t.node()
	var direct []string
	for i := range t.options.viewers {
		direct = append(direct, t.load.direct(n, t.load.busy[i%busyPlans], t.load.quiet).name)
	}
	plan := t.load.busy[0]
	victim := t.load.direct(n, plan)
	if err := t.await(ctx, "the direct viewers follow", t.load.follow); err != nil {
		return err
	}
	before, observer := n.last().Cluster, t.other(n)
	stopped := time.Now()
	t.phase("stop %s", n.name)
	if err := n.process.pause(true); err != nil {
		return err
	}
	revoked, err := t.revoke(ctx, observer, access{User: victim.user, Plan: plan})
	if err != nil {
		return err
	}
	t.note("Revoke on %s returned after %.1f s", observer.name, revoked.Sub(stopped).Seconds())
	t.terms.Gone = append(t.terms.Gone, victim.name)
	err = t.await(ctx, "the others do not wait for the node", func() bool { return ended(observer, before.Node) })
	if err != nil {
		return err
	}
	if err := t.load.more(ctx); err != nil {
		return err
	}
	woken := time.Now()
	t.phase("%s continues", n.name)
	if err := n.process.pause(false); err != nil {
		return err
	}
	open, err := t.nextTenure(ctx, n, before.Tenure)
	if err != nil {
		return err
	}
	t.note("%s had another tenure after %.1f ms", n.name, ms(open.Open.Sub(woken)))
	if open.Shut.Before(woken) {
		open.Shut = woken
	}
	t.check(func(h histories) {
		surely := history.Between(h.records, n.name, direct, woken, open.Shut)
		perhaps := history.Between(h.records, n.name, direct, open.Shut, open.Open)
		t.note("%d clients of %s received %d events before its new tenure, and %d in the %.1f ms within which it began",
			len(direct), n.name, len(surely), len(perhaps), ms(open.Open.Sub(open.Shut)))
		var after []history.Record
		for _, one := range history.Between(h.records, n.name, []string{victim.name}, revoked, time.Now()) {
			if one.Plan == plan {
				after = append(after, one)
			}
		}
		t.note("the user whose access ended received %d events of the plan after Revoke had returned", len(after))
	})
	return nil
}

// ms is a time in milliseconds.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// nextTenure asks a node until it has a tenure after the given one.
func (t *trial) nextTenure(ctx context.Context, n *instance, before uint64) (o opening, err error) {
	err = t.await(ctx, n.name+" has another tenure", func() bool {
		return get(ctx, n.base().JoinPath("/opening"), &o) == nil && o.Tenure > before
	})
	return o, err
}

// revoke ends the access of a user to a plan by a call on a node. It returns when that returned.
func (t *trial) revoke(ctx context.Context, n *instance, a access) (time.Time, error) {
	t.cluster.database.revoke(a)
	ctx, cancel := context.WithTimeout(ctx, trialPatience)
	defer cancel()
	if err := post(ctx, n.base().JoinPath("/revoke"), a); err != nil {
		return time.Time{}, err
	}
	return time.Now(), nil
}
