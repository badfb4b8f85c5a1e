package cost

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/broker"
	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

// cluster is the processes of one run. The first node publishes and has viewers, the second has
// viewers, and the third has none.
type cluster struct {
	broker *broker.Broker
	nodes  []*node.Process
	stop   func() bool // ends the watching of the context
}

// start starts the processes of a contestant. They are killed when ctx ends.
func start(ctx context.Context, c Contestant, cpus []int) (cl *cluster, err error) {
	b, err := broker.Start(c.Broker, cpus)
	if err != nil {
		return nil, err
	}
	cl = &cluster{broker: b, stop: func() bool { return true }}
	for i := range c.nodes() {
		n, err := node.Start(node.Config{Library: c.Library, Broker: b.Address(i), Replicas: c.Replicas, Number: i}, cpus)
		if err != nil {
			cl.close()
			return nil, err
		}
		cl.nodes = append(cl.nodes, n)
	}
	cl.stop = context.AfterFunc(ctx, func() {
		for _, n := range cl.nodes {
			n.Kill()
		}
	})
	for _, n := range cl.nodes {
		if err := n.Ready(); err != nil {
			cl.close()
			return nil, err
		}
	}
	return cl, nil
}

func (cl *cluster) close() error {
	cl.stop()
	for _, n := range cl.nodes {
		n.Close()
	}
	return cl.broker.Close()
}

// viewing are the nodes with viewers.
func (cl *cluster) viewing() []*node.Process { return cl.nodes[:min(len(cl.nodes), 2)] }

// usage is the CPU time that has been used so far.
type usage struct {
	when   time.Time
	nodes  []time.Duration
	broker time.Duration
	own    time.Duration // of this process
	all    time.Duration // of the whole machine
}

func (cl *cluster) usage() (u usage, err error) {
	u.when = time.Now()
	for _, n := range cl.nodes {
		used, err := n.CPU()
		if err != nil {
			return u, err
		}
		u.nodes = append(u.nodes, used)
	}
	if u.broker, err = cl.broker.CPU(); err != nil {
		return u, err
	}
	if u.own, err = machine.SelfCPU(); err != nil {
		return u, err
	}
	u.all, err = machine.Busy()
	return u, err
}

// since returns what was used after an earlier time.
func (u usage) since(earlier usage) usage {
	d := usage{broker: u.broker - earlier.broker, own: u.own - earlier.own, all: u.all - earlier.all}
	for i := range u.nodes {
		d.nodes = append(d.nodes, u.nodes[i]-earlier.nodes[i])
	}
	return d
}

// foreign returns how many cores other programs used between two times.
func foreign(before, after usage) float64 {
	d := after.since(before)
	rest := d.all - d.own - d.broker
	for _, used := range d.nodes {
		rest -= used
	}
	return max(rest.Seconds()/after.when.Sub(before.when).Seconds(), 0)
}

// together calls f for each node at the same time, with its index, and returns the results in that
// order.
func together[T any](nodes []*node.Process, f func(int, *node.Process) (T, error)) ([]T, error) {
	results, errs := make([]T, len(nodes)), make([]error, len(nodes))
	var group sync.WaitGroup
	for i, n := range nodes {
		group.Go(func() { results[i], errs[i] = f(i, n) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("cost: %w", err)
		}
	}
	return results, nil
}
