package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// The tests of this file are for the race detector: many goroutines, real time unless a bubble is
// named, and invariants rather than exact outcomes.

// numbering records the position of each event, which is the same for all clients.
type numbering struct {
	mu  sync.Mutex // guards the following
	ids map[uint64]string
}

func (n *numbering) same(seq uint64, data string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil {
		n.ids = map[uint64]string{}
	}
	if n.ids[seq] == "" {
		n.ids[seq] = data
	}
	return n.ids[seq] == data
}

// stream follows the messages of one plan that one client receives.
type stream struct {
	plan    string
	order   *numbering
	in      bool
	chain   protocol.Chain
	events  int
	resyncs int
}

// follow takes messages. It fails the test at a gap, a duplicate, an event that differs from that
// of another client, and one outside of a membership. A hub sends the exact prev.
func (s *stream) follow(t *testing.T, who string, messages []heard) {
	t.Helper()
	for _, h := range messages {
		m := h.msg
		if m.PlanID != s.plan {
			continue
		}
		at := s.chain.Position().Seq
		place := s.chain.Take(m)
		switch {
		case m.Seq > 0:
			if !s.in || place != protocol.PlaceNext || m.Prev != at {
				t.Errorf("%s: event %d after %d, at %d, in=%v", who, m.Seq, m.Prev, at, s.in)
			}
			if m.Type != protocol.TypeReceipt && !s.order.same(m.Seq, string(m.Data)) {
				t.Errorf("%s: event %d is another one for somebody else", who, m.Seq)
			}
			s.events++
		case m.Type == protocol.TypeResync:
			if place != protocol.PlaceStart || !s.in || s.seq() <= at {
				t.Errorf("%s: resync %s at %d, in=%v", who, m.Data, at, s.in)
			}
			s.resyncs++
		case m.Type == protocol.TypeRemoved:
			s.in = false
		case m.Type == protocol.TypeJoinPlan, m.Type == protocol.TypeLeavePlan:
			var a protocol.JoinAnswer
			if err := json.Unmarshal(m.Data, &a); err != nil {
				t.Errorf("%s: %s: %v", who, m.Data, err)
			}
			if a.Success {
				s.in = m.Type == protocol.TypeJoinPlan
			}
		}
	}
}

// seq returns the seq of the last position.
func (s *stream) seq() uint64 { return s.chain.Position().Seq }

func (p *peer) check(t *testing.T) {
	t.Helper()
	for _, f := range p.faultsSeen() {
		t.Error(f)
	}
}

// ender ends background goroutines of a test.
type ender struct {
	wg   sync.WaitGroup
	stop atomic.Bool
}

func (e *ender) loop(f func()) {
	e.wg.Go(func() {
		for !e.stop.Load() {
			f()
		}
	})
}

func (e *ender) end() {
	e.stop.Store(true)
	e.wg.Wait()
}

func mustConnect(t *testing.T, h *room.Hub, p *peer, user string) *peer {
	t.Helper()
	if err := p.connect(h, auth.Identity{UserID: user, Name: user}, "", nil); err != nil {
		t.Fatalf("connect %s: %v", user, err)
	}
	t.Cleanup(func() { p.end(protocol.CloseAbnormal) })
	return p
}

// TestNothingIsWrittenAfterRevoke revokes users who join, read, and stall, while others broadcast.
// Whatever a connection took between the return of Revoke and the moment at which the user may come
// back is none of the plan's.
func TestNothingIsWrittenAfterRevoke(t *testing.T) {
	const users = 3
	var denied [users]atomic.Bool
	h := newHub(t, &room.Options{
		HistoryEvents: 32,
		Authorize: func(_ context.Context, id auth.Identity, _ string) error {
			no := denied[id.UserID[0]-'0'].Load()
			runtime.Gosched()
			if no {
				return room.ErrForbidden
			}
			return nil
		},
	})
	var background ender
	background.loop(func() {
		task := json.RawMessage(`"` + fmt.Sprintf("%0*d", 1+rand.N(200), 0) + `"`)
		if err := h.BroadcastTaskUpdated(context.Background(), "p", task, room.ExceptUser(fmt.Sprint(rand.N(2*users)))); err != nil {
			t.Error(err)
		}
		runtime.Gosched()
	})
	until := time.Now().Add(700 * time.Millisecond)
	var wg sync.WaitGroup
	for n := range users {
		user := fmt.Sprint(n)
		wg.Go(func() {
			type window struct{ from, to int64 }
			for time.Now().Before(until) {
				peers := []*peer{newPeer(1, 64), newPeer(2, 300), newPeer(1, 64)}
				peers[2].opts.Blocking = true
				windows := make([][]window, len(peers))
				var joining ender
				for _, p := range peers {
					mustConnect(t, h, p, user)
					joins := 0
					joining.loop(func() {
						if joins++; joins < 100 { // below the rate limit
							p.join("p", nil)
						}
						if rand.N(4) == 0 {
							p.stall()
						}
						if joins == 10 {
							// The rest of a frame may still be under way when Revoke comes.
							p.leave("p")
						}
						time.Sleep(time.Duration(rand.N(200)) * time.Microsecond)
						p.unstall()
					})
				}
				for range 10 {
					time.Sleep(time.Duration(rand.N(500)) * time.Microsecond)
					denied[n].Store(true)
					if _, err := h.Revoke(context.Background(), "p", user); err != nil {
						t.Error(err)
					}
					from := make([]int64, len(peers))
					for i, p := range peers {
						from[i] = p.bytes()
					}
					time.Sleep(300 * time.Microsecond)
					for i, p := range peers {
						windows[i] = append(windows[i], window{from[i], p.bytes()})
					}
					denied[n].Store(false)
				}
				joining.end()
				for i, p := range peers {
					p.unstall()
					p.end(protocol.CloseAbnormal)
					<-p.session.Done()
					p.check(t)
					for _, m := range p.take() {
						of := m.msg.Seq > 0 || m.msg.Type == protocol.TypeResync || m.msg.Type == protocol.TypeJoinPlan
						for _, w := range windows[i] {
							if of && m.end > w.from && m.end <= w.to {
								t.Errorf("%s %d was written up to byte %d, between %d and %d", m.msg.Type, m.msg.Seq, m.end, w.from, w.to)
							}
						}
					}
				}
			}
		})
	}
	wg.Wait()
	background.end()
}

// TestShutdownUnderTraffic shuts down while everything goes on. The bubble fails if a goroutine is
// left.
func TestShutdownUnderTraffic(t *testing.T) {
	for _, patience := range []time.Duration{0, 10 * time.Millisecond, time.Minute} {
		t.Run(patience.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var left, joined atomic.Int64
				h := room.NewHub(&room.Options{Authorize: anyone, Observer: room.Observer{
					Join:  func(room.ConnectionInfo, string, bool) { joined.Add(1) },
					Leave: func(room.ConnectionInfo, string) { left.Add(1) },
				}})
				var wg sync.WaitGroup
				var peers [70]*peer
				for i := range peers {
					p := newPeer(byte(1+i%2), 100)
					p.opts.Blocking = i%7 == 0
					peers[i] = p
					wg.Go(func() {
						if p.connect(h, auth.Identity{UserID: fmt.Sprint(i % 10)}, "", nil) != nil {
							return
						}
						for n := range 8 {
							p.join("p", nil)
							if i%5 == 0 && n == 4 {
								p.stall()
							}
							if i%11 == 0 {
								p.leave("p")
							}
							time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
						}
					})
				}
				for range 4 {
					wg.Go(func() {
						for h.BroadcastTaskDeleted(t.Context(), "p", "1") == nil {
							time.Sleep(50 * time.Microsecond)
						}
					})
				}
				time.Sleep(3 * time.Millisecond)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				for range 2 { // at the same time
					wg.Go(func() {
						if err := h.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
							t.Error(err)
						}
					})
				}
				if err := h.Shutdown(ctx); patience == time.Minute && err != nil {
					t.Error(err)
				}
				wg.Wait()
				synctest.Wait()
				if joined.Load() != left.Load() {
					t.Errorf("%d joins, %d leaves", joined.Load(), left.Load())
				}
				var order numbering
				var last uint64
				for i, p := range peers {
					p.check(t)
					if p.session == nil {
						continue
					}
					<-p.session.Done()
					s := stream{plan: "p", order: &order}
					s.follow(t, fmt.Sprint(i), p.take())
					// All that had a position was delivered.
					if patience == time.Minute && i%5 != 0 && i%11 != 0 {
						if last == 0 {
							last = s.seq()
						}
						if s.in && s.seq() != last || p.code() != protocol.CloseShutdown {
							t.Errorf("%d: ended at %d with %d, others at %d", i, s.seq(), p.code(), last)
						}
					}
				}
			})
		})
	}
}

// TestOneConnectionPerClientID connects one tab from many goroutines at once: the newest stays.
func TestOneConnectionPerClientID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, nil)
		var mu sync.Mutex
		var all []*peer
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 40 {
					p := newPeer(1, 100)
					if err := p.connect(h, auth.Identity{UserID: "u", Name: "u"}, "tab", nil); err != nil {
						t.Error(err)
						return
					}
					p.join("p", nil)
					if rand.N(3) == 0 {
						p.end(protocol.CloseAbnormal)
					}
					mu.Lock()
					all = append(all, p)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		synctest.Wait()
		open := 0
		for _, p := range all {
			p.check(t)
			if !p.isClosed() {
				open++
			}
		}
		info, _ := h.Room("p")
		if got := h.UserConnections("u"); got != open || open > 1 || info.Connections > 1 || h.Stats().Connections != open {
			t.Errorf("%d connections, %d open, %d in the room", got, open, info.Connections)
		}
		for _, p := range all {
			p.end(protocol.CloseAbnormal)
		}
		time.Sleep(6 * time.Second)
		if info, _ := h.Room("p"); len(info.People) != 0 {
			t.Errorf("left: %v", info.People)
		}
	})
}

func TestAsManyConnectionsAsAllowed(t *testing.T) {
	for range 20 {
		h := newHub(t, &room.Options{ConnectionsPerUser: 5})
		var in atomic.Int32
		var wg sync.WaitGroup
		for range 40 {
			wg.Go(func() {
				p := newPeer(1, 100)
				switch err := p.connect(h, auth.Identity{UserID: "u"}, "", nil); {
				case err == nil:
					in.Add(1)
				case !errors.Is(err, room.ErrTooManyConnections):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if in.Load() != 5 || h.UserConnections("u") != 5 {
			t.Fatalf("%d were let in, %d are counted; want 5", in.Load(), h.UserConnections("u"))
		}
	}
}

// TestOneOrderForRestlessMembers broadcasts from 8 goroutines to members that join, leave, stall,
// sip and are cut.
func TestOneOrderForRestlessMembers(t *testing.T) {
	h := newHub(t, &room.Options{HistoryEvents: 64, Linger: time.Millisecond})
	var order numbering
	var background ender
	var ids atomic.Int64
	for range 8 {
		background.loop(func() {
			id := json.RawMessage(fmt.Sprint(ids.Add(1)))
			if err := h.BroadcastTaskUpdated(context.Background(), "p", id, room.ExceptUser(fmt.Sprint(rand.N(30)))); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		})
	}
	until := time.Now().Add(700 * time.Millisecond)
	var events atomic.Int64
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() {
			user := fmt.Sprint(n)
			for time.Now().Before(until) {
				p := newPeer(byte(1+n%2), 1+rand.N(2000))
				p.opts.Blocking = n%4 == 0
				mustConnect(t, h, p, user)
				s := stream{plan: "p", order: &order}
				for range 1 + rand.N(30) {
					switch rand.N(6) {
					case 0, 1:
						p.join("p", nil)
					case 2:
						p.leave("p")
					case 3:
						p.stall()
					case 4:
						p.sip(rand.N(300))
					case 5:
						p.unstall()
					}
					time.Sleep(time.Duration(rand.N(300)) * time.Microsecond)
					s.follow(t, user, p.take())
				}
				p.end(protocol.CloseAbnormal)
				p.unstall()
				s.follow(t, user, p.take())
				p.check(t)
				events.Add(int64(s.events))
			}
		})
	}
	wg.Wait()
	background.end()
	t.Logf("%d events sent, %d heard", ids.Load(), events.Load())
}

// TestResumeHasNoSeam cuts and resumes while events come: put together, what a client heard is
// everything, once.
func TestResumeHasNoSeam(t *testing.T) {
	h := newHub(t, &room.Options{HistoryEvents: 1 << 20, HistoryBytes: 1 << 30, HistoryTotal: 1 << 30})
	start, err := h.Position(context.Background(), "p")
	if err != nil {
		t.Fatal(err)
	}
	var order numbering
	var sent atomic.Int64
	var background ender
	for range 2 {
		background.loop(func() {
			if err := h.BroadcastTaskUpdated(context.Background(), "p", json.RawMessage(fmt.Sprint(sent.Add(1))), room.ExceptUser("2")); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Microsecond)
		})
	}
	var wg sync.WaitGroup
	until := time.Now().Add(700 * time.Millisecond)
	for n := range 6 {
		wg.Go(func() {
			user := fmt.Sprint(n)
			s := stream{plan: "p", order: &order}
			s.chain.Reset(start)
			for done := false; !done; {
				done = time.Now().After(until)
				if done { // the last round receives everything
					background.end()
				}
				p := newPeer(byte(1+n%2), 500)
				p.opts.Blocking = n == 3
				mustConnect(t, h, p, user)
				for range 1 + rand.N(3) { // a repeated join moves to since as well
					since := s.chain.Position()
					p.join("p", &since)
					if rand.N(3) == 0 && !done {
						p.stall()
						time.Sleep(time.Duration(rand.N(500)) * time.Microsecond)
						p.unstall()
					}
					time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
					s.follow(t, user, p.take())
				}
				if done {
					end, err := h.Position(context.Background(), "p")
					if err != nil {
						t.Error(err)
					}
					p.wait(5*time.Second, func() bool { s.follow(t, user, p.take()); return s.seq() == end.Seq })
					if s.seq() != end.Seq || s.resyncs > 0 {
						t.Errorf("%s ended at %d of %d, with %d resyncs", user, s.seq(), end.Seq, s.resyncs)
					}
				}
				p.end(protocol.CloseAbnormal)
				s.follow(t, user, p.take())
				s.in = false
				p.check(t)
			}
		})
	}
	wg.Wait()
	order.mu.Lock()
	defer order.mu.Unlock()
	if int64(len(order.ids)) != sent.Load() {
		t.Errorf("%d of %d events were heard", len(order.ids), sent.Load())
	}
}

// TestHousekeepingUnderTraffic has the janitor delete rooms, and the budget empty them, while
// events come and members join.
func TestHousekeepingUnderTraffic(t *testing.T) {
	h := newHub(t, &room.Options{
		HistoryTotal: 8 << 10, JanitorEvery: time.Millisecond, IdleTimeout: 3 * time.Millisecond, Linger: time.Millisecond,
		PingEvery: -1, HistoryAge: 5 * time.Millisecond,
	})
	var orders [6]numbering
	var wg sync.WaitGroup
	until := time.Now().Add(500 * time.Millisecond)
	for n := range orders {
		plan := fmt.Sprint("plan", n)
		wg.Go(func() {
			for i := 0; time.Now().Before(until); i++ {
				if err := h.BroadcastTaskUpdated(context.Background(), plan, json.RawMessage(fmt.Sprintf(`"%0200d"`, i))); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Duration(rand.N(100)) * time.Microsecond)
			}
		})
		wg.Go(func() {
			for time.Now().Before(until) {
				p := newPeer(1, 500)
				if err := p.connect(h, auth.Identity{UserID: plan}, "", nil); err != nil {
					t.Error(err)
					return
				}
				s := stream{plan: plan, order: &orders[n]}
				p.join(plan, nil)
				time.Sleep(time.Duration(rand.N(2000)) * time.Microsecond)
				if rand.N(2) == 0 {
					p.leave(plan)
				}
				p.end(protocol.CloseAbnormal)
				s.follow(t, plan, p.take())
				p.check(t)
			}
		})
	}
	wg.Wait()
	if got := h.Stats().HistoryBytes; got < 0 || got > 8<<10+6*1300 {
		t.Errorf("%d bytes of history", got)
	}
	// A room that no client joined would stay for two minutes. The janitor closes connections too,
	// so this may take a few tries.
	for deadline := time.Now().Add(10 * time.Second); h.Stats().Rooms > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("not all was swept: %+v", h.Stats())
		}
		for _, r := range h.Rooms() {
			p := mustConnect(t, h, newPeer(1, 500), "last")
			p.join(r.PlanID, nil)
			p.wait(10*time.Millisecond, func() bool { return p.isClosed() || len(p.take()) > 1 })
			p.end(protocol.CloseAbnormal)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if got := h.Stats().HistoryBytes; got != 0 {
		t.Errorf("%d bytes of history in no room", got)
	}
}

// TestTimersUnderTraffic moves deadlines while they pass: pings, expiries, renewals, rechecks,
// lingering.
func TestTimersUnderTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, &room.Options{
			PingEvery: 2 * time.Millisecond, PingTimeout: 2 * time.Millisecond, Linger: time.Millisecond,
			ReauthorizeEvery: 3 * time.Millisecond, FirstMessageTimeout: 5 * time.Millisecond, WriteTimeout: 20 * time.Millisecond,
		})
		var wg sync.WaitGroup
		var peers [30]*peer
		for i := range peers {
			p := newPeer(1, 50)
			peers[i] = p
			verifier := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
				return auth.Identity{UserID: fmt.Sprint(i), ExpiresAt: time.Now().Add(time.Hour)}, nil
			})
			wg.Go(func() {
				time.Sleep(time.Duration(rand.N(5000)) * time.Microsecond)
				id := auth.Identity{UserID: fmt.Sprint(i), ExpiresAt: time.Now().Add(time.Duration(5+i%20) * time.Millisecond)}
				if err := p.connect(h, id, "", verifier); err != nil {
					t.Error(err)
					return
				}
				if i%6 == 0 {
					return // says nothing
				}
				for n := range 20 {
					time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
					p.join(fmt.Sprint(rand.N(3)), nil)
					if i%3 == 1 && n == 1 {
						p.request(protocol.Request{Type: protocol.TypeAuthenticate, Token: "t"})
					}
					if i%5 == 2 && n == 10 {
						p.stall()
					}
				}
			})
		}
		wg.Wait()
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		for i, p := range peers {
			p.check(t)
			renewed := i%6 != 0 && i%3 == 1 && i%5 != 2
			if p.isClosed() == renewed {
				t.Errorf("%d: closed %v with %d", i, p.isClosed(), p.code())
			}
			if i%6 == 0 && p.code() != protocol.CloseTimeout && p.code() != protocol.CloseUnauthorized {
				t.Errorf("%d: said nothing and was closed with %d", i, p.code())
			}
		}
		for _, p := range peers {
			p.end(protocol.CloseAbnormal)
		}
		synctest.Wait()
		time.Sleep(time.Second)
		if got := h.Stats(); got.Connections+got.Users != 0 {
			t.Errorf("left: %+v", got)
		}
	})
}
