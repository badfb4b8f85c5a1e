package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// publisher changes a plan, one change after the other, each through another node. It repeats a
// change until a node acknowledges it. Since the changes have numbers, the database and the hubs
// recognize a repetition.
type publisher struct {
	plan     string
	database *database
	nodes    func() []*instance
	every    time.Duration
	client   *http.Client
	history  *history.Writer // of the attempts; nil: none

	mu      sync.Mutex // guards the following
	changed *sync.Cond // of paused and ended
	paused  bool
	ended   bool
	state   published
}

// published is what the publisher has done.
type published struct {
	Paused    bool   `json:"paused"`
	Changes   uint64 `json:"changes"`   // acknowledged
	LongestMs int64  `json:"longestMs"` // the longest time from a change to its acknowledgement
	Problem   string `json:"problem"`   // of the last attempt, or ""
}

// attemptPatience is how long the publisher waits for a node before it sends the change to the next
// one. The first node may still store it: since the IDs are equal, that is the same event.
const attemptPatience = 3 * time.Second

func newPublisher(c *cluster, plan string, rate int, h *history.Writer) *publisher {
	p := &publisher{
		plan: plan, database: c.database, nodes: c.list, every: time.Second / time.Duration(rate), client: &http.Client{}, history: h,
	}
	p.changed = sync.NewCond(&p.mu)
	return p
}

// run publishes until ctx ends.
func (p *publisher) run(ctx context.Context) {
	defer context.AfterFunc(ctx, p.end)()
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for p.await() {
		select {
		case <-tick.C:
			p.publish(ctx, p.database.next(p.plan))
		case <-ctx.Done():
		}
	}
}

// publish repeats a change until it is acknowledged or ctx ends.
func (p *publisher) publish(ctx context.Context, t task) {
	start := time.Now()
	for n := t.Change; ctx.Err() == nil; n++ {
		nodes := p.nodes()
		err := p.attempt(ctx, nodes[n%uint64(len(nodes))], t)
		p.mu.Lock()
		if err == nil {
			p.state.Changes, p.state.Problem = t.Change, ""
			p.state.LongestMs = max(p.state.LongestMs, time.Since(start).Milliseconds())
			p.mu.Unlock()
			return
		}
		p.state.Problem = err.Error()
		p.mu.Unlock()
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

var errNotServing = fmt.Errorf("the node is not ready")

// attempt sends a change to a node, and writes the result to the history.
func (p *publisher) attempt(ctx context.Context, n *instance, t task) error {
	_, serving, ok := n.target()
	if !ok {
		return errNotServing
	}
	result, err := p.send(ctx, n, serving, t)
	a := history.Attempt{Plan: t.Plan, Change: t.Change, Node: n.name, Result: result}
	if err != nil {
		a.Error = err.Error()
	}
	p.history.Attempt(a)
	return err
}

// send sends a change to a node. It gives up when the node stops being ready.
func (p *publisher) send(ctx context.Context, n *instance, serving context.Context, t task) (history.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptPatience)
	defer cancel()
	defer context.AfterFunc(serving, cancel)()
	body, err := json.Marshal(t)
	if err != nil {
		return history.Failed, err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", n.base().JoinPath("/changes").String(), bytes.NewReader(body))
	if err != nil {
		return history.Failed, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return history.Uncertain, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNoContent {
		return history.Acknowledged, nil
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
	err = fmt.Errorf("%s: %s: %s", n.name, resp.Status, bytes.TrimSpace(text))
	if resp.StatusCode == http.StatusServiceUnavailable {
		return history.Failed, err
	}
	return history.Uncertain, err
}

// await waits while the publisher is paused. It returns false when it has ended.
func (p *publisher) await() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.paused && !p.ended {
		p.changed.Wait()
	}
	return !p.ended
}

func (p *publisher) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.changed.Broadcast()
}

// pause stops after the change that is being published, or continues.
func (p *publisher) pause(paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = paused
	p.changed.Broadcast()
}

func (p *publisher) now() published {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state
	s.Paused = p.paused
	return s
}
