package main

import (
	"context"
	"slices"
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
	observer := t.other(n)
	asked := time.Now()
	var before report
	if err := get(ctx, n.base().JoinPath("/cluster"), &before); err != nil {
		return err
	}
	s := stop{node: n.name, direct: direct, victim: victim.name, plan: plan, tenureEnd: asked.Add(before.Cluster.TenureLeft)}
	stopped := time.Now()
	t.phase("stop %s", n.name)
	if err := n.process.pause(true); err != nil {
		return err
	}
	s.stopped = time.Now()
	var err error
	if s.revoked, err = t.revoke(ctx, observer, access{User: victim.user, Plan: plan}); err != nil {
		return err
	}
	t.note("Revoke on %s returned after %.1f s", observer.name, s.revoked.Sub(stopped).Seconds())
	t.terms.Gone = append(t.terms.Gone, victim.name)
	err = t.await(ctx, "the others do not wait for the node", func() bool { return ended(observer, before.Cluster.Node) })
	if err != nil {
		return err
	}
	if err := t.load.more(ctx); err != nil {
		return err
	}
	s.woken = time.Now()
	t.phase("%s continues", n.name)
	if err := n.process.pause(false); err != nil {
		return err
	}
	if s.opening, err = t.nextTenure(ctx, n, before.Cluster.Tenure); err != nil {
		return err
	}
	t.note("%s had another tenure after %.1f ms", n.name, ms(s.opening.Open.Sub(s.woken)))
	t.check(func(h histories) { t.judgeStop(h, s) })
	return nil
}

// stop is a node that was stopped past its tenure.
type stop struct {
	node      string
	direct    []string // viewers that stay connected to it
	victim    string   // a viewer who has lost access to plan meanwhile
	plan      string
	tenureEnd time.Time // the tenure ended then or later
	stopped   time.Time // the node did nothing from then on
	revoked   time.Time // when Revoke had returned on another node
	woken     time.Time
	opening   opening // of the gate after that
}

// judgeStop checks what the viewers of the node received when it continued. What it had in hand when
// it was stopped may still be written, and is only counted: a process cannot notice that it stands
// still between a look at its gate and a write.
func (t *trial) judgeStop(h histories, s stop) {
	if s.revoked.Before(s.tenureEnd) {
		t.broke("Revoke returned %.1f s before the tenure of %s could end", s.tenureEnd.Sub(s.revoked).Seconds(), s.node)
	}
	shut := s.opening.Shut
	if shut.Before(s.woken) {
		shut = s.woken
	}
	surely := history.Between(h.records, s.node, s.direct, s.woken, shut)
	perhaps := history.Between(h.records, s.node, s.direct, shut, s.opening.Open)
	t.note("%d clients of %s received %d events before its new tenure, and %d in the %.1f ms within which it began",
		len(s.direct), s.node, len(surely), len(perhaps), ms(s.opening.Open.Sub(shut)))
	known := knownAt(h.attempts, s.stopped)
	unknown := slices.DeleteFunc(surely, func(one history.Record) bool { return one.Change <= known[one.Plan] })
	if len(unknown) > 0 {
		one := unknown[0]
		t.broke("%d events of changes after the stop came from %s before its new tenure: the first, change %d of %s, to %s",
			len(unknown), s.node, one.Change, one.Plan, one.Viewer)
	}
	from := s.revoked
	if from.Before(s.opening.Open) {
		from = s.opening.Open
	}
	late, all := 0, 0 // late: other than what the node had in hand
	for _, one := range h.records {
		if one.What == history.Frame && one.Viewer == s.victim && one.Plan == s.plan && one.Time.After(s.revoked) {
			all++
			if one.Time.After(from) || one.Change > known[one.Plan] {
				late++
			}
		}
	}
	t.note("the user whose access ended received %d events of the plan after Revoke had returned", all)
	if late > 0 {
		t.broke("%s received %d events of %s after its access had ended: of changes after the stop, or after the gate of %s was open again",
			s.victim, late, s.plan, s.node)
	}
}

// knownAt returns the last change of each plan that was, or may have been, stored at a time: one
// after those that were acknowledged.
func knownAt(attempts []history.Attempt, at time.Time) map[string]uint64 {
	known := make(map[string]uint64)
	for _, a := range attempts {
		if known[a.Plan] == 0 {
			known[a.Plan] = 1
		}
		if a.Result == history.Acknowledged && !a.Time.After(at) {
			known[a.Plan] = max(known[a.Plan], a.Change+1)
		}
	}
	return known
}

// ms is a time in milliseconds.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// nextTenure asks a node until it has a tenure after the given one.
func (t *trial) nextTenure(ctx context.Context, n *instance, before uint64) (o opening, err error) {
	err = t.awaitAnswer(ctx, n.name+" has another tenure", func(ctx context.Context) bool {
		return get(ctx, n.base().JoinPath("/opening"), &o) == nil && o.Tenure > before
	})
	return o, err
}

// revoke ends the access of a user to a plan by a call on a node. It returns when that returned.
func (t *trial) revoke(ctx context.Context, n *instance, a access) (time.Time, error) {
	t.cluster.database.revoke(a)
	if err := post(ctx, n.base().JoinPath("/revoke"), a); err != nil {
		return time.Time{}, &promiseError{err}
	}
	return time.Now(), nil
}
