package main

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"
)

// balancer passes requests to the nodes that are ready. A client prefers a node (?node=n1) and gets
// another one if that is not ready. When a node stops being ready, the balancer ends its
// connections.
type balancer struct {
	nodes   func() []*instance
	started chan struct{} // closed when clients get another node than the one that they prefer

	mu       sync.Mutex // guards the following
	sessions map[*session]struct{}
	moved    map[string]string // the node that a client prefers since a call of move
}

// session is one request on its way, a WebSocket most of the time.
type session struct {
	client string // of ?client=
	node   string
	end    context.CancelFunc
}

// maxMoved bounds balancer.moved. The clients that it forgets prefer what they ask for.
const maxMoved = 1000

// startPause is how long the first clients wait for the node that they prefer. Otherwise all of them
// would get the node that is ready first.
const startPause = time.Minute

func newBalancer(nodes func() []*instance) *balancer {
	started := make(chan struct{})
	time.AfterFunc(startPause, func() { close(started) })
	return &balancer{nodes: nodes, started: started, sessions: make(map[*session]struct{}), moved: make(map[string]string)}
}

// pick returns the preferred node, or else the ready one with the fewest connections. nil: none is
// ready.
func (b *balancer) pick(ctx context.Context, preferred string) *instance {
	for _, n := range b.nodes() {
		if n.name == preferred {
			select {
			case <-n.begun:
			case <-b.started:
			case <-ctx.Done():
			}
		}
	}
	load := b.load()
	var best *instance
	for _, n := range b.nodes() {
		if _, _, ok := n.target(); !ok {
			continue
		}
		if n.name == preferred {
			return n
		}
		if best == nil || load[n.name] < load[best.name] {
			best = n
		}
	}
	return best
}

// load counts the connections of each node.
func (b *balancer) load() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	load := make(map[string]int)
	for s := range b.sessions {
		load[s.node]++
	}
	return load
}

// clients returns the node of each client that is connected.
func (b *balancer) clients() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	clients := make(map[string]string)
	for s := range b.sessions {
		if s.client != "" {
			clients[s.client] = s.node
		}
	}
	return clients
}

// move has a client prefer a node from now on, and ends its connection. It returns false if the
// client is not connected, or no node has this name.
func (b *balancer) move(client, node string) bool {
	if !slices.ContainsFunc(b.nodes(), func(n *instance) bool { return n.name == node }) {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	found := false
	for s := range b.sessions {
		if s.client == client {
			s.end()
			found = true
		}
	}
	if found {
		if len(b.moved) >= maxMoved {
			clear(b.moved)
		}
		b.moved[client] = node
	}
	return found
}

// preferred returns the node that the client of a request should get.
func (b *balancer) preferred(client, asked string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if node, ok := b.moved[client]; ok && client != "" {
		return node
	}
	return asked
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	client := q.Get("client")
	n := b.pick(r.Context(), b.preferred(client, q.Get("node")))
	if n == nil {
		http.Error(w, "no node is ready", http.StatusServiceUnavailable)
		return
	}
	proxy, serving, ok := n.target()
	if !ok {
		http.Error(w, "the node is no longer ready", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(serving, cancel)()
	s := &session{client: client, node: n.name, end: cancel}
	b.mu.Lock()
	b.sessions[s] = struct{}{}
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.sessions, s)
		b.mu.Unlock()
	}()
	proxy.ServeHTTP(w, r.WithContext(ctx))
}
