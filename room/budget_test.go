package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// reader is a connection in several plans. It follows the positions and reports missing events.
type reader struct {
	*roomtest.Sink

	mu     sync.Mutex          // guards the following
	plans  map[string]*reading // the keys are fixed at creation
	faults []string
}

// reading is what a reader has received of one plan.
type reading struct {
	chain   protocol.Chain
	sizes   []int // of the events
	resyncs int
}

// joinReader connects a reader and has it join plans.
func joinReader(t *testing.T, h *room.Hub, user string, plans ...string) *reader {
	t.Helper()
	d := &reader{plans: make(map[string]*reading)}
	for _, plan := range plans {
		d.plans[plan] = &reading{}
	}
	d.Sink = roomtest.NewSink(&roomtest.SinkOptions{OnMessage: d.take, Discard: true})
	if err := d.Connect(h, auth.Identity{UserID: user, Name: user}, nil); err != nil {
		t.Fatalf("Connect: %v", err)
	}
	for _, plan := range plans {
		d.Join(plan, nil)
	}
	synctest.Wait()
	return d
}

// take is called with each message that the client reads.
func (d *reader) take(got roomtest.Received) {
	d.mu.Lock()
	defer d.mu.Unlock()
	msg := got.Message
	of := d.plans[msg.PlanID]
	if of == nil { // hello and goodbye
		return
	}
	at := of.chain.Position().Seq
	place := of.chain.Take(msg)
	switch {
	case msg.Type == protocol.TypeResync:
		if place != protocol.PlaceStart {
			d.faults = append(d.faults, fmt.Sprintf("resync %s", msg.Data))
		}
		of.resyncs++
	case msg.Seq > 0:
		if place != protocol.PlaceNext || msg.Prev != at { // a hub sends the exact prev
			d.faults = append(d.faults, fmt.Sprintf("event %d of %s follows %d, but the last position was %d", msg.Seq, msg.PlanID, msg.Prev, at))
		}
		of.sizes = append(of.sizes, len(got.Text))
	}
}

// check fails the test unless d is at the end of all its plans, without a gap.
func (d *reader) check(t *testing.T, h *room.Hub) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for plan, of := range d.plans {
		if at, end := of.chain.Position(), position(t, h, plan); at != end {
			t.Errorf("a reader of %s is at %v, want %v", plan, at, end)
		}
	}
	for _, fault := range append(d.faults, d.Faults()...) {
		t.Error(fault)
	}
}

// TestBudgetOfManyBusyRooms broadcasts events of all sizes to rooms that each have a reader; one
// stalled reader is in some of them. After every step the rooms hold at most HistoryTotal, or 1 KiB
// each if that is more, plus the events in flight.
func TestBudgetOfManyBusyRooms(t *testing.T) {
	const (
		each    = 50       // rooms in which a reader is
		largest = 48 << 10 // bytes that an event takes, with a place in the log
	)
	text := strings.Repeat("x", 32<<10)
	for _, c := range []struct {
		name         string
		rooms, total int
		steps        int
	}{
		{"more events than fit", 10_000, 12 << 20, 1000},
		{"the rooms alone exceed the limit", 2000, 1 << 20, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, &room.Options{HistoryTotal: c.total, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
				plans := make([]string, c.rooms)
				for n := range plans {
					plans[n] = fmt.Sprint("plan", n)
				}
				var readers []*reader
				for some := range slices.Chunk(plans, each) {
					readers = append(readers, joinReader(t, h, some[0], some...))
				}
				slow := joinReader(t, h, "slow", plans[:each]...)
				slow.Stall(0)

				bound := max(c.total, c.rooms<<10)
				most := 0
				var onTheWay atomic.Int64 // bytes of the events of this step
				check := func() {
					got := h.Stats().HistoryBytes
					// Read after got, which may include an event that another goroutine has just
					// begun.
					more := int(onTheWay.Load())
					if got > bound+more {
						t.Errorf("%d bytes of history, %d above the limit of %d, with %d in flight", got, got-bound, bound, more)
					}
				}
				broadcast := func(rnd *rand.Rand) {
					plan := rnd.IntN(c.rooms)
					if rnd.IntN(4) == 0 {
						plan %= each // some rooms are busier than others
					}
					size := 1 << (4 + rnd.IntN(12))
					onTheWay.Add(int64(size)*5/4 + 4<<10)
					if _, err := h.BroadcastTaskUpdated(context.Background(), plans[plan], json.RawMessage(`"`+text[:size]+`"`)); err != nil {
						t.Error(err)
					}
					check()
				}
				rnd := rand.New(rand.NewPCG(1, 2))
				for step := range c.steps {
					if step%50 > 0 {
						broadcast(rnd)
					} else { // several at once
						var wg sync.WaitGroup
						for range 4 {
							rnd := rand.New(rand.NewPCG(rnd.Uint64(), 0))
							wg.Go(func() {
								for range 10 {
									broadcast(rnd)
								}
							})
						}
						wg.Wait()
					}
					synctest.Wait()
					onTheWay.Store(0)
					check()
					most = max(most, h.Stats().HistoryBytes)
					if t.Failed() {
						t.FailNow()
					}
				}
				if most < bound-largest {
					t.Errorf("at most %d bytes of history, want up to the limit of %d", most, bound)
				}

				slow.Unstall()
				synctest.Wait()
				sum, events := 0, 0
				for _, d := range readers {
					d.check(t, h)
					for plan, of := range d.plans {
						info, _ := h.Room(plan)
						sum += 1 << 10
						events += info.Events
						for _, size := range of.sizes[len(of.sizes)-info.Events:] {
							sum += size
						}
						if of.resyncs > 0 && c.total == bound {
							t.Errorf("a reader of %s received a resync", plan)
						}
					}
				}
				if got := h.Stats().HistoryBytes; got < sum+64*events || got > sum*5/4+256*events {
					t.Errorf("%d bytes of history, the messages of its %d events have %d", got, events, sum)
				}
				slow.check(t, h)
				resyncs := 0
				for plan, of := range slow.plans {
					resyncs += of.resyncs
					if all := len(readers[0].plans[plan].sizes); of.resyncs == 0 && len(of.sizes) < all {
						t.Errorf("a slow client received %d of %d events of %s and no resync", len(of.sizes), all, plan)
					}
				}
				if resyncs == 0 {
					t.Error("the slow client received no resync")
				}
				if err := h.Shutdown(context.Background()); err != nil {
					t.Errorf("Shutdown: %v", err)
				}
				if got := h.Stats().HistoryBytes; got != 0 {
					t.Errorf("Stats counts %d bytes of history without a room", got)
				}
			})
		})
	}
}

// The budget keeps an event that a pump has yet to write, whatever happens in other rooms. After
// the write it evicts the event like others.
func TestBudgetKeepsUnwrittenEvents(t *testing.T) {
	for _, c := range []struct {
		name string
		wait int // events that come while the pump is writing
		want string
	}{
		{"one event is kept", 1, "[task-updated task-updated]"},
		{"a second one is not", 2, "[task-updated resync]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seamTest(t, &room.Options{HistoryTotal: 8000}, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
				fill := func(plan string, size int) {
					t.Helper()
					if _, err := h.BroadcastTaskUpdated(t.Context(), plan, jsonOf(size)); err != nil {
						t.Fatal(err)
					}
				}
				writing.Arm()
				update(t, h, "p", 0)
				writing.Wait()
				since := position(t, h, "p")
				for range c.wait {
					fill("p", 2000)
				}
				fill("q", 6000) // together with the event that is being written to p, more than the limit
				if got := h.Stats(); got.Rooms != 1 || got.HistoryBytes < 1024+2000 || got.HistoryBytes > 1024+2000+512 {
					t.Errorf("%d bytes of history in %d rooms, want one event in p", got.HistoryBytes, got.Rooms)
				}
				writing.Release()
				synctest.Wait()
				if got := p.types(); got != c.want {
					t.Errorf("received %s, want %s", got, c.want)
				}
				fill("q", 5000)
				if got := h.Stats(); got.Rooms != 2 || recovers(t, h, "p", since) {
					t.Errorf("%+v, want the event of p evicted, since no write needs it any more", got)
				}
			})
		})
	}
}

// An empty room without history is deleted when other rooms need the space.
func TestBudgetOfRoomsThatAreLeft(t *testing.T) {
	bubble(t, &room.Options{HistoryTotal: 20 << 10}, func(t *testing.T, h *room.Hub) {
		var members [30]*roomtest.Member
		for n := range members {
			members[n] = roomtest.Join(t, h, fmt.Sprint("user", n), fmt.Sprint("plan", n))
		}
		update(t, h, "plan0", 1)
		wantEvent(t, members[0], 1)
		wantRooms(t, h, 30) // each has a member
		for _, m := range members[:15] {
			m.Cut()
		}
		time.Sleep(6 * time.Second) // no user lingers
		update(t, h, "plan29", 1)
		wantEvent(t, members[29], 1)
		if got := h.Stats(); got.HistoryBytes > 20<<10 || got.Rooms < 15 {
			t.Errorf("%d bytes of history in %d rooms", got.HistoryBytes, got.Rooms)
		}
	})
}
