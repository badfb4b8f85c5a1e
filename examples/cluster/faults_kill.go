package main

import (
	"context"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

var killRuns = []fault{
	{name: "kill-node", about: "kill -9 of a node: its clients are whole on another one within 5 s and their back-off", run: killNode},
	{name: "kill-leader", about: "kill -9 of the NATS server that leads the stream", run: killLeader},
	{name: "kill-follower", about: "kill -9 of a NATS server that does not lead the stream", run: killFollower},
}

// killNode kills a node. Its clients resume on the others.
func killNode(ctx context.Context, t *trial) error {
	n := t.node()
	at := time.Now()
	t.phase("kill %s", n.name)
	n.process.kill()
	err := t.await(ctx, "the clients of the node are elsewhere", func() bool {
		return !n.isReady() && t.load.elsewhere(n.name)
	})
	if err != nil {
		return err
	}
	if err := t.load.more(ctx); err != nil {
		return err
	}
	t.check(func(h histories) { t.recoveries(h, n.name, at) })
	t.phase("start %s again", n.name)
	return n.start(ctx)
}

// recoveries checks how the clients of a node that died came back.
func (t *trial) recoveries(h histories, node string, at time.Time) {
	list := history.Recoveries(h.records, h.attempts, node, at)
	var longest time.Duration
	for _, r := range list {
		if r.After < 0 {
			t.broke("%s did not come back from %s", r.Viewer, node)
		}
		longest = max(longest, r.After)
	}
	t.note("%d clients of %s were whole again elsewhere after at most %.2f s", len(list), node, longest.Seconds())
	if len(list) == 0 {
		t.broke("%s had no clients", node)
	}
	t.within(5*time.Second+viewerBackoff, longest, "the return of the clients of %s", node)
}

func killLeader(ctx context.Context, t *trial) error {
	return t.killServer(ctx, func(s *natsServer, leader string) bool { return s.name == leader })
}

func killFollower(ctx context.Context, t *trial) error {
	return t.killServer(ctx, func(s *natsServer, leader string) bool { return s.name != leader })
}

// killServer kills a NATS server, chosen once the leader of the stream is known, and starts it again
// when others have published meanwhile.
func (t *trial) killServer(ctx context.Context, which func(s *natsServer, leader string) bool) error {
	var leader string
	err := t.awaitSetup(ctx, "the stream has a leader", func(context.Context) bool {
		leader = t.cluster.stream.now().Leader
		return leader != ""
	})
	if err != nil {
		return err
	}
	for _, s := range t.cluster.servers {
		if !which(s, leader) {
			continue
		}
		t.phase("kill %s", s.name)
		s.process.kill()
		err := t.awaitSetup(ctx, "the stream has a leader that runs", func(context.Context) bool {
			_, pid := s.process.state()
			leader := t.cluster.stream.now().Leader
			return pid == 0 && leader != "" && leader != s.name
		})
		if err != nil {
			return err
		}
		if err := t.load.more(ctx); err != nil {
			return err
		}
		t.phase("start %s again", s.name)
		if err := s.start(ctx); err != nil {
			return err
		}
		started := time.Now()
		return t.awaitLog(ctx, started, allServers)
	}
	return fmt.Errorf("there is no such server; the stream is led by %s", leader)
}
