package main

import (
	"io"
	"testing"
	"time"
)

// Viewers of a node that has ended are elsewhere when they have connections to other nodes, not
// before they have noticed that their own ones ended.
func TestElsewhere(t *testing.T) {
	v := newViewer(viewerOptions{name: "v"})
	on := func(nodes ...string) *load {
		b := &balancer{sessions: make(map[*session]struct{})}
		for _, node := range nodes {
			b.sessions[&session{client: "v", node: node}] = struct{}{}
		}
		return &load{trial: &trial{cluster: &cluster{balancer: b}}, viewers: []*viewer{v}}
	}
	v.live = true
	for node, want := range map[string]bool{"n1": false, "n2": true} {
		if got := on(node).elsewhere("n1"); got != want {
			t.Errorf("with a connection to %s: elsewhere %t", node, got)
		}
	}
	if on().elsewhere("n1") {
		t.Error("a viewer without a connection is elsewhere")
	}
	if v.live = false; on("n2").elsewhere("n1") {
		t.Error("a viewer that has not connected yet is elsewhere")
	}
}

// A move waits until the client is connected.
func TestMoveWaits(t *testing.T) {
	v := newViewer(viewerOptions{name: "v"})
	b := &balancer{sessions: make(map[*session]struct{}), moved: make(map[string]string)}
	first := &session{client: "v", node: "n1", end: func() {
		clear(b.sessions)
		b.sessions[&session{client: "v", node: "n2"}] = struct{}{}
		v.live, v.times = true, 2
	}}
	looks := 0
	b.nodes = func() []*instance {
		if looks++; looks == 3 {
			v.times = 1
			b.sessions[first] = struct{}{}
		}
		return []*instance{{name: "n1"}, {name: "n2"}}
	}
	r := &trial{stderr: io.Discard, patience: time.Minute, cluster: &cluster{balancer: b}}
	if err := r.moveTo(t.Context(), v, "n2"); err != nil || b.clients()["v"] != "n2" {
		t.Errorf("%v; the client is on %q", err, b.clients()["v"])
	}
}
