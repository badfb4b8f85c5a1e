package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// discard is a connection that takes everything at once and only counts.
type discard struct {
	*roomtest.Sink
	session *room.Session
	calls   *atomic.Int64
	bytes   *atomic.Int64
}

// newDiscard connects a user. The counts, if not nil, are shared with others.
func newDiscard(b testing.TB, h *room.Hub, user string, counts *roomtest.Counts) *discard {
	b.Helper()
	k := roomtest.NewSink(&roomtest.SinkOptions{Discard: true, Counts: counts})
	if err := k.Connect(h, auth.Identity{UserID: user, Name: user}, nil); err != nil {
		b.Fatal(err)
	}
	return &discard{Sink: k, session: k.Session(), calls: &k.Counts().Writes, bytes: &k.Counts().Bytes}
}

func (d *discard) end() { d.End(protocol.CloseAbnormal) }

func benchHub(b *testing.B, history int) *room.Hub {
	b.Helper()
	h := room.NewHub(&room.Options{Authorize: anyone, PingEvery: -1, HistoryEvents: history, IdleTimeout: time.Hour})
	b.Cleanup(func() {
		if err := h.Shutdown(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return h
}

func benchConnect(b testing.TB, h *room.Hub, user string) *discard {
	b.Helper()
	return newDiscard(b, h, user, nil)
}

// await spins until other goroutines have made a condition true. A sleep would take longer than the
// measured operation.
func await(b *testing.B, cond func() bool) {
	for spins, begin := 1, time.Now(); !cond(); spins++ {
		if spins%(1<<16) == 0 && time.Since(begin) > 30*time.Second {
			b.Fatal("it did not happen")
		}
		runtime.Gosched()
	}
}

var benchTask = json.RawMessage(`{"id":"task-4711","title":"Write the benchmark before the claim","done":false,"order":17}`)

// benchMembers connects n users to plan p and returns the counter of all writes to them, when no
// more writes follow.
func benchMembers(b *testing.B, h *room.Hub, n int) *atomic.Int64 {
	b.Helper()
	counts := &roomtest.Counts{}
	total := &counts.Writes
	for i := range n {
		newDiscard(b, h, fmt.Sprint("user", i), counts).session.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
	}
	await(b, func() bool { info, _ := h.Room("p"); return info.Connections == n })
	// The last count of a crowded room.
	for last := int64(-1); total.Load() != last; time.Sleep(1100 * time.Millisecond) {
		last = total.Load()
	}
	return total
}

// BenchmarkBroadcast delivers one event after the other to all members. ns/op is the time until the
// last member has the event.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := benchHub(b, 256)
			total := benchMembers(b, h, n)
			b.ReportAllocs()
			for b.Loop() {
				want := total.Load() + int64(n) // one write for each member
				if _, err := h.BroadcastTaskUpdated(b.Context(), "p", benchTask); err != nil {
					b.Fatal(err)
				}
				await(b, func() bool { return total.Load() >= want })
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkBroadcastToManyRooms delivers events of 16 B to 16 KiB to 10,000 rooms in turn. The
// history budget is never exhausted, always exhausted, or exceeded by the empty rooms alone.
func BenchmarkBroadcastToManyRooms(b *testing.B) {
	const rooms = 10_000
	for _, c := range []struct {
		name  string
		total int
	}{{"within", 1 << 30}, {"exceeded", 16 << 20}, {"hopeless", 8 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			h := room.NewHub(&room.Options{Authorize: anyone, PingEvery: -1, HistoryTotal: c.total, HistoryEvents: 8, IdleTimeout: time.Hour})
			b.Cleanup(func() {
				if err := h.Shutdown(context.Background()); err != nil {
					b.Error(err)
				}
			})
			plans := make([]string, rooms)
			members := make([]*discard, rooms)
			for n := range plans {
				plans[n] = fmt.Sprint("plan", n)
				members[n] = benchConnect(b, h, plans[n])
				members[n].session.Receive([]byte(`{"type":"join-plan","planId":"` + plans[n] + `"}`))
			}
			await(b, func() bool { return h.Stats().Joins == rooms })
			text := strings.Repeat("x", 16<<10)
			rnd := rand.New(rand.NewPCG(1, 2))
			broadcast := func() {
				n := rnd.IntN(rooms)
				want := members[n].calls.Load() + 1
				data := json.RawMessage(`"` + text[:1<<(4+rnd.IntN(11))] + `"`)
				if _, err := h.BroadcastTaskUpdated(b.Context(), plans[n], data); err != nil {
					b.Fatal(err)
				}
				await(b, func() bool { return members[n].calls.Load() >= want })
			}
			for range 8 * rooms { // until each room is at its limit
				broadcast()
			}
			b.ReportAllocs()
			for b.Loop() {
				broadcast()
			}
			b.ReportMetric(float64(h.Stats().HistoryBytes)/(1<<20), "MiB-held")
		})
	}
}

// BenchmarkBroadcastCall measures the call alone, as in a PATCH handler of a host, during
// deliveries to members.
func BenchmarkBroadcastCall(b *testing.B) {
	for _, n := range []int{0, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := benchHub(b, 256)
			if n > 0 {
				benchMembers(b, h, n)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := h.BroadcastTaskUpdated(b.Context(), "p", benchTask, room.By("user1")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkJoinLeave joins and leaves a room of 50 people, and waits for both answers.
func BenchmarkJoinLeave(b *testing.B) {
	h := benchHub(b, 256)
	benchMembers(b, h, 50)
	b.ReportAllocs()
	var d *discard
	for i := 0; b.Loop(); i++ {
		if i%50 == 0 { // below the rate limit
			if d != nil {
				d.end()
			}
			d = benchConnect(b, h, fmt.Sprint("guest", i))
		}
		d.session.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
		d.session.Receive([]byte(`{"type":"leave-plan","planId":"p"}`))
		await(b, func() bool { return h.Stats().Joins >= uint64(i+51) })
		await(b, func() bool { info, _ := h.Room("p"); return info.Connections == 50 })
	}
}

// BenchmarkJoin64 joins 64 plans on a new connection at once, as a page does after a reconnect.
// ns/op is for all of them, the connection included.
func BenchmarkJoin64(b *testing.B) {
	h := benchHub(b, 256)
	var joins [64][]byte
	for n := range joins {
		joins[n] = fmt.Appendf(nil, `{"type":"join-plan","planId":"plan-%d"}`, n)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		// One user: lingering participants would make the answers larger.
		d := benchConnect(b, h, "guest")
		for _, join := range joins {
			d.session.Receive(join)
		}
		await(b, func() bool { return h.Stats().Joins >= uint64(64*(i+1)) })
		d.end()
	}
}

// BenchmarkResume256 joins 256 events behind the end, and waits for all of them.
func BenchmarkResume256(b *testing.B) {
	h := benchHub(b, 256)
	var since protocol.Position
	for i := range 257 {
		if _, err := h.BroadcastTaskUpdated(b.Context(), "p", benchTask); err != nil {
			b.Fatal(err)
		}
		if i == 0 {
			since, _ = h.Position(b.Context(), "p") // the hub is open
		}
	}
	join := fmt.Appendf(nil, `{"type":"join-plan","planId":"p","since":{"epoch":%q,"seq":%d}}`, since.Epoch, since.Seq)
	first := benchConnect(b, h, "user")
	hello := first.bytes.Load()
	first.session.Receive(join)
	await(b, func() bool { return first.bytes.Load() > hello+256*int64(len(benchTask)) })
	await(b, func() bool {
		n := first.bytes.Load()
		time.Sleep(50 * time.Millisecond)
		return first.bytes.Load() == n
	})
	each := first.bytes.Load() - hello
	b.SetBytes(each)
	b.ReportAllocs()
	var d *discard
	for i := 0; b.Loop(); i++ {
		if i%100 == 0 {
			if d != nil {
				d.end()
			}
			d = benchConnect(b, h, "user")
		}
		want := d.bytes.Load() + each
		d.session.Receive(join)
		await(b, func() bool { return d.bytes.Load() >= want })
	}
}
