package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"
)

var peopleRuns = []fault{
	{name: "presence-20000", about: "20,000 people (-people) on two nodes: how long the lists take, what they cost, and a crash of a node", run: presence, alone: true},
}

// presence puts half of the people on each of two nodes, adds a fresh node, kills one of the first
// two, and brings its people back.
func presence(ctx context.Context, t *trial) error {
	p, err := startPeople(ctx, t)
	if err != nil {
		return err
	}
	defer p.close()
	empty, err := p.look(ctx, p.nodes[0], true)
	if err != nil {
		return err
	}
	if err := p.arrive(ctx); err != nil {
		return err
	}
	if err := p.addNode(ctx, empty.Heap); err != nil {
		return err
	}
	if err := p.crash(ctx); err != nil {
		return err
	}
	return p.comeBack(ctx)
}

// people are the processes of the run.
type people struct {
	trial   *trial
	servers []*natsServer
	nodes   []*crowdNode
	plans   int
	half    int // people of a node
}

// crowdNode is a process with people.
type crowdNode struct {
	name    string
	process *child
	url     *url.URL
	started time.Time
}

func startPeople(ctx context.Context, t *trial) (p *people, err error) {
	p = &people{trial: t, half: t.options.people / 2, plans: max(t.options.people/perPlan, 1)}
	t.phase("start three NATS servers and two nodes")
	p.servers, err = startServers(ctx, t.dir)
	for range 2 {
		if err == nil {
			err = p.start(ctx)
		}
	}
	if err == nil {
		err = p.await(ctx, "both nodes are ready", func(s crowdState) bool { return s.NotReady == "" })
	}
	if err != nil {
		p.close()
		return nil, fmt.Errorf("the nodes do not start; their logs are in %s: %v", t.dir, err) // not a promise
	}
	return p, nil
}

// start starts a node.
func (p *people) start(ctx context.Context) error {
	name := fmt.Sprintf("p%d", len(p.nodes)+1)
	n := &crowdNode{name: name, process: &child{name: name, log: filepath.Join(p.trial.dir, name+".log")}, started: time.Now()}
	p.nodes = append(p.nodes, n)
	line, err := n.process.start(ctx, []string{
		peopleCommandName, "-name", name, "-replicas", "3", "-nats", serverURLs(p.servers).joined(),
	}, func() {})
	if err != nil {
		return err
	}
	n.url, err = url.Parse(line)
	return err
}

func (p *people) close() {
	for _, n := range p.nodes {
		n.process.close()
	}
	for _, s := range p.servers {
		s.process.close()
	}
}

// look asks a node for its state.
func (p *people) look(ctx context.Context, n *crowdNode, memory bool) (s crowdState, err error) {
	at := n.url.JoinPath("/people")
	q := url.Values{"plans": {fmt.Sprint(p.plans)}}
	if memory {
		q.Set("memory", "1")
	}
	at.RawQuery = q.Encode()
	return s, get(ctx, at, &s)
}

// await waits until each running node fulfills a condition.
func (p *people) await(ctx context.Context, what string, condition func(crowdState) bool) error {
	for _, n := range p.nodes {
		if _, pid := n.process.state(); pid == 0 {
			continue
		}
		if err := p.awaitOn(ctx, n, what, condition); err != nil {
			return err
		}
	}
	return nil
}

func (p *people) awaitOn(ctx context.Context, n *crowdNode, what string, condition func(crowdState) bool) error {
	var last crowdState
	var problem error
	err := p.trial.awaitAnswer(ctx, what, func(ctx context.Context) bool {
		last, problem = p.look(ctx, n, false)
		return problem == nil && condition(last)
	})
	if err != nil {
		return fmt.Errorf("%s: %w (%v, %+v)", n.name, err, problem, last)
	}
	return nil
}

// join puts half of the people on a node.
func (p *people) join(ctx context.Context, n *crowdNode, first int) error {
	return post(ctx, n.url.JoinPath("/people"), arrivals{First: first, Number: p.half, Plans: p.plans})
}

// arrive puts all people on the two nodes.
func (p *people) arrive(ctx context.Context) error {
	t := p.trial
	t.phase("%d people join each of two nodes", p.half)
	begun := time.Now()
	var joins sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		joins.Go(func() { errs[i] = p.join(ctx, p.nodes[i], i*p.half) })
	}
	joins.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	joined := time.Now()
	if err := p.listed(ctx, 2*p.half); err != nil {
		return err
	}
	t.note("%d people joined within %.2f s; both nodes listed all of them %.2f s later", 2*p.half, joined.Sub(begun).Seconds(), time.Since(joined).Seconds())
	return p.costs(ctx)
}

// listed waits until all nodes list so many people.
func (p *people) listed(ctx context.Context, number int) error {
	return p.await(ctx, fmt.Sprintf("all %d people are listed", number), func(s crowdState) bool { return s.Listed == number })
}

// costs notes what the nodes have sent, and their memory.
func (p *people) costs(ctx context.Context) error {
	for _, n := range p.nodes {
		s, err := p.look(ctx, n, true)
		if err != nil {
			return err
		}
		p.trial.note("%s has sent %d messages with %.2f MB to other nodes; heap %.1f MB, process %.1f MB",
			n.name, s.Messages, float64(s.Bytes)/1e6, float64(s.Heap)/1e6, float64(s.RSS)/1e6)
	}
	return nil
}

// addNode starts a node without people. empty is the heap of a node before the people came.
func (p *people) addNode(ctx context.Context, empty uint64) error {
	t := p.trial
	t.phase("start a fresh node")
	if err := p.start(ctx); err != nil {
		return err
	}
	n := p.nodes[2]
	if err := p.awaitOn(ctx, n, "the fresh node is ready", func(s crowdState) bool { return s.NotReady == "" }); err != nil {
		return err
	}
	ready := time.Now()
	if err := p.listed(ctx, 2*p.half); err != nil {
		return err
	}
	listed := time.Now()
	s, err := p.look(ctx, n, true)
	if err != nil {
		return err
	}
	t.note("a fresh node was ready after %.2f s, and listed all people %.2f s later; they take %.0f bytes each there",
		ready.Sub(n.started).Seconds(), listed.Sub(ready).Seconds(), (float64(s.Heap)-float64(empty))/float64(2*p.half))
	return nil
}

// crash kills a node. The others send their clients one notice for each of its people.
func (p *people) crash(ctx context.Context) error {
	t, n := p.trial, p.nodes[1]
	t.phase("kill %s", n.name)
	at := time.Now()
	n.process.kill()
	if err := t.await(ctx, n.name+" has ended", func() bool { _, pid := n.process.state(); return pid == 0 }); err != nil {
		return err
	}
	if err := p.listed(ctx, p.half); err != nil {
		return err
	}
	notified := func(s crowdState) bool { return s.Notified == p.half }
	if err := p.awaitOn(ctx, p.nodes[0], "the clients of the others have all notices", notified); err != nil {
		return err
	}
	took := time.Since(at)
	t.note("after the crash of a node the others no longer listed its %d people, and had notified their clients, after %.1f s", p.half, took.Seconds())
	t.within(15*time.Second, took, "the leave of all people")
	return nil
}

// comeBack connects the people of the node that has crashed to the fresh one. All nodes then list
// the same.
func (p *people) comeBack(ctx context.Context) error {
	t := p.trial
	t.phase("the people come back on %s", p.nodes[2].name)
	if err := p.join(ctx, p.nodes[2], p.half); err != nil {
		return err
	}
	joined := time.Now()
	if err := p.listed(ctx, 2*p.half); err != nil {
		return err
	}
	took := time.Since(joined)
	a, err := p.look(ctx, p.nodes[0], false)
	if err != nil {
		return err
	}
	b, err := p.look(ctx, p.nodes[2], false)
	if err != nil {
		return err
	}
	if a.Digest != b.Digest {
		t.broke("two nodes list different people")
	}
	if a.Again > 0 || a.Notified != p.half {
		t.broke("the clients got notices that %d people left, of %d more than once, instead of %d once", a.Notified, a.Again, p.half)
	}
	t.note("when its people had joined another node, all nodes listed the same %d people %.2f s later", a.Listed, took.Seconds())
	return nil
}
