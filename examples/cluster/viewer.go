package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/examples/cluster/internal/tap"
	"github.com/planrooms/planrooms/transport/client"
)

// viewerOptions describe a viewer.
type viewerOptions struct {
	name    string // the client ID
	user    string // begins with checkerPrefix
	base    string // URL of the balancer, or of a node
	node    string // that it prefers
	plans   []string
	history *history.Writer // of what it sees
	log     *slog.Logger
}

// viewer follows plans without a page, by the Go client, and checks what it sees.
type viewer struct {
	viewerOptions
	http    *http.Client // for loads
	follows map[string]*following

	mu    sync.Mutex // guards the following
	live  bool
	ready bool // connected once
	times int  // that it has connected
}

// following is the part of a viewer for one plan.
type following struct {
	viewer  *viewer
	plan    string
	checker history.Checker

	mu     sync.Mutex // guards the following
	join   *client.Plan
	stream history.Stream
}

// viewerBackoff is the longest time that a viewer waits before it connects again.
const viewerBackoff = 2 * time.Second

func newViewer(o viewerOptions) *viewer {
	v := &viewer{viewerOptions: o, follows: make(map[string]*following)}
	v.http = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, id := range o.plans {
		v.follows[id] = &following{viewer: v, plan: id}
	}
	return v
}

// run follows the plans until ctx ends.
func (v *viewer) run(ctx context.Context) {
	q := url.Values{"node": {v.node}}
	c, err := client.Open(v.base+"/ws?"+q.Encode(), &client.Options{
		Token:      client.StaticToken(v.user),
		ClientID:   v.name,
		BackoffMax: viewerBackoff,
		OnState:    v.connected,
		HTTPClient: &http.Client{Transport: &tap.Tap{Base: &http.Transport{DisableKeepAlives: true}, Opened: v.opened}},
	})
	if err != nil {
		v.log.Error("viewer", "name", v.name, "error", err)
		return
	}
	defer c.Close()
	var all sync.WaitGroup
	for _, f := range v.follows {
		all.Go(func() {
			if err := f.run(ctx, c); err != nil && ctx.Err() == nil {
				v.log.Error("viewer", "name", v.name, "plan", f.plan, "error", err)
			}
		})
	}
	all.Wait()
}

// connected counts connections that continue: a load, if one is necessary, is counted with its
// reason.
func (v *viewer) connected(s client.State, _ error) {
	v.mu.Lock()
	again := s == client.StateConnected && v.ready
	v.live = s == client.StateConnected
	v.ready = v.ready || v.live
	if v.live {
		v.times++
	}
	v.mu.Unlock()
	if again {
		for _, f := range v.follows {
			f.checker.Resumed()
		}
	}
}

// observe takes a record of a connection.
func (v *viewer) observe(r history.Record) {
	for plan, f := range v.follows {
		if r.Plan == plan || r.OfConnection() {
			f.take(r)
		}
	}
}

// take moves the stream to the next record. A message because of which the plan has to be loaded is
// written to the history before this call, but a Reload after it. So whatever the order of
// concurrent calls, a stream that is settled here is settled in the history.
func (f *following) take(r history.Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stream.Take(r)
}

// settled reports whether the viewer gets the events of the plan and does not have to load it.
func (f *following) settled() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stream.Settled()
}

// connections returns how often the viewer has connected.
func (v *viewer) connections() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.times
}

func (v *viewer) isLive() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.live
}

// run follows the plan until ctx ends, or the user has lost access to it.
func (f *following) run(ctx context.Context, c *client.Client) error {
	plan, err := c.Join(ctx, f.plan, nil)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.join = plan
	f.mu.Unlock()
	for {
		e, err := plan.Next(ctx)
		if errors.Is(err, client.ErrRemoved) || errors.Is(err, client.ErrForbidden) {
			return nil
		}
		if err == nil {
			err = f.see(ctx, e)
		}
		if err != nil {
			return err
		}
	}
}

// participants returns the users that the client lists, or nil if it has not joined yet.
func (f *following) participants() (users []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.join != nil {
		for _, p := range f.join.Participants() {
			users = append(users, p.UserID)
		}
	}
	return users
}

// see handles one item of the stream.
func (f *following) see(ctx context.Context, e client.Event) error {
	r := history.Record{Viewer: f.viewer.name, Plan: f.plan, Seq: e.Seq}
	switch e.Kind {
	case client.Reload:
		r.What, r.Reason = history.Reload, string(e.Reason)
		f.take(r)
		f.viewer.history.Record(r)
		if e.Reason != client.ReloadJoined {
			f.checker.Reloaded()
		}
		if e.Reason == client.ReloadNotRecovered {
			f.checker.NotResumed()
		}
		return f.load(ctx)
	case client.Change:
		t, err := taskOf(e.Data)
		if err != nil {
			return err
		}
		r.What, r.Change = history.Event, t.Change
		f.viewer.history.Record(r)
		f.checker.Event(t.Change)
	}
	return nil
}

// taskOf returns the task in an event.
func taskOf(data json.RawMessage) (task, error) {
	var d struct{ Task task }
	err := json.Unmarshal(data, &d)
	return d.Task, err
}

// load loads the plan, from any node, until that succeeds.
func (f *following) load(ctx context.Context) error {
	for {
		p, err := f.get(ctx)
		if err == nil {
			r := history.Record{Viewer: f.viewer.name, What: history.Load, Plan: f.plan, Change: p.Change}
			f.viewer.history.Record(r)
			f.take(r)
			f.checker.Load(p.Change)
			return nil
		}
		pause := time.NewTimer(200 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return errors.Join(ctx.Err(), err)
		}
	}
}

func (f *following) get(ctx context.Context) (p plan, err error) {
	q := url.Values{"node": {f.viewer.node}, "plan": {f.plan}}
	req, err := http.NewRequestWithContext(ctx, "GET", f.viewer.base+"/plan?"+q.Encode(), nil)
	if err != nil {
		return p, err
	}
	resp, err := f.viewer.http.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("load: %s", resp.Status)
	}
	return p, json.NewDecoder(resp.Body).Decode(&p)
}
