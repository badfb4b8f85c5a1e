package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
	"github.com/planrooms/planrooms/transport/client"
)

// stormTimeout ends calls that hang, on a busy machine.
const stormTimeout = 4 * testTimeout

// storm is a server that can reset its sockets, and that another one at the same address can
// replace, while numbered events are broadcast to its plans.
type storm struct {
	srv   *http.Server
	addr  string
	plans []string

	mu        sync.Mutex // guards the following
	hub       *room.Hub
	handler   http.Handler // of hub; nil while there is not a server, and requests are aborted
	conns     map[net.Conn]struct{}
	histories map[string]*history // by plan
}

// history has the number of the last event of one plan at each position.
type history struct {
	last int
	at   map[protocol.Position]int
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &storm{
		addr: listener.Addr().String(), plans: []string{"a", "b", "c", "d"},
		conns: make(map[net.Conn]struct{}), histories: make(map[string]*history),
	}
	for _, plan := range s.plans {
		s.histories[plan] = &history{at: make(map[protocol.Position]int)}
	}
	s.start()
	s.srv = &http.Server{Handler: s}
	served := make(chan struct{})
	go func() {
		_ = s.srv.Serve(keeper{listener, s}) // returns that it was closed
		close(served)
	}()
	t.Cleanup(func() {
		_ = s.srv.Close()
		<-served
		shutdown(t, s.hub)
	})
	return s
}

// start starts a new server at the address.
func (s *storm) start() {
	hub := room.NewHub(&room.Options{
		Authorize:     func(context.Context, auth.Identity, string) error { return nil },
		HistoryEvents: 1 << 20, HistoryBytes: 64 << 20, // each client can resume on the same hub
		PresenceLimit: 1, // no notice per user when all reconnect
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hub, s.handler = hub, transport.NewHandler(hub, verifier, nil)
	for plan, h := range s.histories {
		s.noteLocked(plan, h)
	}
}

// ServeHTTP passes the request to the current server.
func (s *storm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	handler := s.handler
	s.mu.Unlock()
	if handler == nil {
		panic(http.ErrAbortHandler)
	}
	handler.ServeHTTP(w, r)
}

// keeper records the sockets that it accepts.
type keeper struct {
	net.Listener
	s *storm
}

func (k keeper) Accept() (net.Conn, error) {
	nc, err := k.Listener.Accept()
	if err == nil {
		k.s.mu.Lock()
		k.s.conns[nc] = struct{}{}
		k.s.mu.Unlock()
	}
	return nc, err
}

// tear resets all sockets.
func (s *storm) tear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc := range s.conns {
		if tcp, ok := nc.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = nc.Close()
	}
	clear(s.conns)
}

// restart replaces the server without a goodbye to the clients. The listener stays open, because
// the kernel could give its port to a connection of a client.
func (s *storm) restart(t testing.TB) {
	s.mu.Lock()
	s.handler = nil
	hub := s.hub
	s.mu.Unlock()
	s.tear()
	s.start()
	shutdown(t, hub)
}

func shutdown(t testing.TB, hub *room.Hub) {
	ctx, cancel := context.WithTimeout(context.Background(), stormTimeout)
	defer cancel()
	if err := hub.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// broadcast sends the next event of a plan.
func (s *storm) broadcast(t testing.TB, plan string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.histories[plan]
	if _, err := s.hub.BroadcastTaskUpdated(t.Context(), plan, h.last+1); err != nil {
		return // the hub is being replaced
	}
	h.last++
	s.noteLocked(plan, h)
}

// last returns the largest number of an event in any plan.
func (s *storm) last() (last int) {
	for _, plan := range s.plans {
		last = max(last, s.lastOf(plan))
	}
	return last
}

func (s *storm) lastOf(plan string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.histories[plan].last
}

// noteLocked records the last event of a plan at its current position.
func (s *storm) noteLocked(plan string, h *history) {
	at, err := s.hub.Position(context.Background(), plan)
	if err != nil {
		panic(err) // the hub is not closed
	}
	h.at[at] = h.last
}

// at returns the last event at a position: the content of a plan that is loaded there.
func (s *storm) at(plan string, p protocol.Position) (last int, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, known = s.histories[plan].at[p]
	return last, known
}

// viewer follows one plan. It checks that events are complete and in order, except at a Reload.
type viewer struct {
	storm   *storm
	plan    *client.Plan
	chain   protocol.Chain
	seen    int // the last event
	reloads int
}

// follow takes items until it has seen the last event.
func (v *viewer) follow(ctx context.Context, last int) error {
	for v.seen < last {
		e, err := v.plan.Next(ctx)
		if err != nil {
			return fmt.Errorf("after event %d: %w", v.seen, err)
		}
		switch e.Kind {
		case client.Reload:
			loaded, known := v.storm.at(v.plan.ID(), e.Position)
			if !known || loaded < v.seen {
				return fmt.Errorf("reload %s at %v, where event %d is the last (%t), after event %d", e.Reason, e.Position, loaded, known, v.seen)
			}
			v.chain.Reset(e.Position)
			v.seen = loaded
			v.reloads++
		case client.Change:
			var d struct{ Task int }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return err
			}
			before := v.chain.Position()
			place := v.chain.Take(e.Message)
			if place != protocol.PlaceNext || e.Prev != before.Seq || e.Position != v.chain.Position() || d.Task != v.seen+1 {
				return fmt.Errorf("event %d at %v with prev %d after event %d at %v", d.Task, e.Position, e.Prev, v.seen, before)
			}
			v.seen = d.Task
		}
	}
	return nil
}

// arrive connects n clients and joins their plans, a few at a time.
func (s *storm) arrive(ctx context.Context, t *testing.T, n int) []*viewer {
	t.Helper()
	viewers := make([]*viewer, n)
	each(n, func(i int) {
		c, err := client.Dial(ctx, "http://"+s.addr+"/ws", &client.Options{
			Token:      client.StaticToken(tokenOf(fmt.Sprint("user", i))),
			BackoffMin: 200 * time.Millisecond, BackoffMax: 2 * time.Second,
		})
		if err != nil {
			t.Errorf("Dial: %v", err)
			return
		}
		t.Cleanup(func() { _ = c.Close() })
		p, err := c.Join(ctx, s.plans[i%len(s.plans)], nil)
		if err != nil {
			t.Errorf("Join: %v", err)
			return
		}
		viewers[i] = &viewer{storm: s, plan: p}
	})
	if t.Failed() {
		t.FailNow()
	}
	return viewers
}

// each calls f with 0 to n-1, a few calls at a time: the race detector needs much memory for each
// goroutine.
func each(n int, f func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range 4 * runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}

// TestStorm resets the sockets of many clients in several plans during broadcasts, and then
// replaces the server. Each client receives all events in order, or a Reload where some are
// missing.
func TestStorm(t *testing.T) {
	clients, perTear := 1000, 5
	if raceEnabled {
		clients = 400 // the race detector takes about 1 MB per client
	}
	s := newStorm(t)
	ctx, cancel := context.WithTimeout(t.Context(), stormTimeout)
	defer cancel()
	viewers := s.arrive(ctx, t, clients)

	publish := func() {
		for range perTear {
			for _, plan := range s.plans {
				s.broadcast(t, plan)
			}
		}
	}
	// followAll broadcasts until all plans have the same number of events. Then all viewers read
	// them.
	followAll := func() {
		last := s.last() + 1
		for _, plan := range s.plans {
			for s.lastOf(plan) < last {
				s.broadcast(t, plan)
			}
		}
		each(len(viewers), func(i int) {
			if err := viewers[i].follow(ctx, last); err != nil {
				t.Error(err)
			}
		})
	}

	// The sockets are reset during broadcasts. The history has all events, so a Reload is an error.
	var publishers sync.WaitGroup
	publishers.Go(publish)
	s.tear()
	publishers.Wait()
	followAll()
	for _, v := range viewers {
		if v.reloads != 1 {
			t.Fatalf("%d reloads of one client, want 1, for the join", v.reloads)
		}
	}

	// The server is replaced during broadcasts. No client can resume.
	publishers.Go(publish)
	s.restart(t)
	publishers.Wait()
	followAll()
	for _, v := range viewers {
		if v.reloads < 2 {
			t.Fatalf("%d reloads of one client, want another one, for the restart", v.reloads)
		}
	}
}
