package main

import (
	"context"
	"time"
)

var linkRuns = []fault{
	{name: "cut", about: "a node is cut from NATS for 4 s", run: breakLink(linkCut, 0, brief)},
	{name: "blackhole", about: "all bytes between a node and NATS are held up for 4 s", run: breakLink(linkStalled, 0, brief)},
	{name: "delay", about: "all bytes between a node and NATS take 0.4 s for 4 s", run: breakLink(linkOpen, 400*time.Millisecond, brief)},
	{name: "cut-long", about: "a node is cut from NATS past its tenure", run: breakLink(linkCut, 0, long)},
	{name: "blackhole-long", about: "all bytes between a node and NATS are held up past its tenure", run: breakLink(linkStalled, 0, long)},
	{name: "delay-long", about: "all bytes between a node and NATS take 6 s, until its tenure has passed", run: breakLink(linkOpen, 6*time.Second, long)},
}

// duration is how long a link is broken.
type duration bool

const (
	brief duration = false // shorter than a tenure
	long  duration = true  // until the gate is shut and the others do not wait for the node
)

// briefHold is less than a tenure, 9.6 s, and more than a few beats.
const briefHold = 4 * time.Second

// breakLink breaks the link between a node and NATS, in one of three ways, and mends it.
func breakLink(state linkState, delay time.Duration, d duration) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		n := t.node()
		before := n.last().Cluster
		at := time.Now()
		t.phase("%s: link %s, delay %v", n.name, state, delay)
		n.link.set(state)
		n.link.setDelay(delay)
		err := t.lasts(ctx, n, before.Node, d)
		n.link.set(linkOpen)
		n.link.setDelay(0)
		t.phase("%s: link mended after %.1f s", n.name, time.Since(at).Seconds())
		return err
	}
}

// lasts waits until a fault of a node, with its name in the engine, has lasted for as long as it
// should.
func (t *trial) lasts(ctx context.Context, n *instance, name string, d duration) error {
	if d == brief {
		return t.hold(ctx, briefHold)
	}
	other := t.other(n)
	return t.await(ctx, "the tenure of "+n.name+" has passed", func() bool {
		return !n.isReady() && !n.last().Cluster.Open && ended(other, name)
	})
}

// ended reports whether a node no longer waits for one with a name in the engine.
func ended(observer *instance, name string) bool {
	for _, n := range observer.last().Cluster.Nodes {
		if n.Name == name {
			return n.Ended
		}
	}
	return false
}
