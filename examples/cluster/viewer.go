package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/planrooms/planrooms/transport/client"
)

// viewer follows the plan without a page, by the Go client, and checks what it sees.
type viewer struct {
	name    string
	base    string // URL of the balancer
	node    string // that it prefers
	checker checker
	http    *http.Client
	log     *slog.Logger
	history *history

	mu    sync.Mutex // guards the following
	live  bool
	ready bool // connected once
}

func newViewer(name, base, node string, h *history, log *slog.Logger) *viewer {
	return &viewer{
		name: name, base: base, node: node, log: log, history: h,
		http: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
}

// run follows the plan until ctx ends.
func (v *viewer) run(ctx context.Context) {
	c, err := client.Open(v.base+"/ws?node="+v.node, &client.Options{
		Token:      client.StaticToken("checker"),
		ClientID:   v.name,
		BackoffMax: 2 * time.Second,
		OnState:    v.connected,
	})
	if err != nil {
		v.log.Error("viewer", "name", v.name, "error", err)
		return
	}
	defer c.Close()
	plan, err := c.Join(ctx, planID, nil)
	for err == nil {
		var e client.Event
		if e, err = plan.Next(ctx); err == nil {
			err = v.see(ctx, e)
		}
	}
	if ctx.Err() == nil {
		v.log.Error("viewer", "name", v.name, "error", err)
	}
}

// connected counts connections that continue: a load, if one is necessary, is counted with its
// reason.
func (v *viewer) connected(s client.State, _ error) {
	v.mu.Lock()
	again := s == client.StateConnected && v.ready
	v.live = s == client.StateConnected
	v.ready = v.ready || v.live
	v.mu.Unlock()
	if again {
		v.checker.resumed()
	}
}

// see handles one item of the stream.
func (v *viewer) see(ctx context.Context, e client.Event) error {
	switch e.Kind {
	case client.Reload:
		v.history.write(entry{Viewer: v.name, What: "reload", Reason: string(e.Reason)})
		if e.Reason != client.ReloadJoined {
			v.checker.reloaded()
		}
		if e.Reason == client.ReloadNotRecovered {
			v.checker.notResumed()
		}
		return v.load(ctx)
	case client.Change:
		var data struct{ Task task }
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return err
		}
		v.history.write(entry{Viewer: v.name, What: "event", Seq: e.Seq, Change: data.Task.Change})
		v.checker.event(data.Task.Change)
	}
	return nil
}

// load loads the plan, from any node, until that succeeds.
func (v *viewer) load(ctx context.Context) error {
	for {
		p, err := v.get(ctx)
		if err == nil {
			v.history.write(entry{Viewer: v.name, What: "load", Seq: p.Position.Seq, Change: p.Change})
			v.checker.load(p.Change)
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

func (v *viewer) get(ctx context.Context) (p plan, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", v.base+"/plan?node="+v.node, nil)
	if err != nil {
		return p, err
	}
	resp, err := v.http.Do(req)
	if err != nil {
		return p, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("load: %s", resp.Status)
	}
	return p, json.NewDecoder(resp.Body).Decode(&p)
}

func (v *viewer) isLive() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.live
}

// entry is one line of a history.
type entry struct {
	Time   time.Time `json:"time"`
	Viewer string    `json:"viewer"`
	What   string    `json:"what"` // event, reload or load
	Reason string    `json:"reason,omitempty"`
	Seq    uint64    `json:"seq,omitempty"`
	Change uint64    `json:"change,omitempty"`
}

// history is a file with what the viewers saw, one JSON object a line.
type history struct {
	mu sync.Mutex // makes lines whole
	w  io.Writer
}

func (h *history) write(e entry) {
	e.Time = time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = json.NewEncoder(h.w).Encode(e) // a full disk must not end the demonstration
}
