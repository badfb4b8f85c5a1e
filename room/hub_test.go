package room_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// anyone allows every user to join every plan.
func anyone(context.Context, auth.Identity, string) error { return nil }

// newHub returns a hub that ends with the test, which fails if a goroutine of it is left.
func newHub(t *testing.T, opts *room.Options) *room.Hub {
	t.Helper()
	if opts == nil {
		opts = &room.Options{}
	}
	if opts.Authorize == nil {
		opts.Authorize = anyone
	}
	h := room.NewHub(opts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	})
	return h
}

// bubble runs a test with a hub in virtual time. It shuts the hub down inside the bubble, which
// fails if a goroutine is left.
func bubble(t *testing.T, opts *room.Options, test func(t *testing.T, h *room.Hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(t, newHub(t, opts))
	})
}

// errorOf returns the error of a call that returns something else, too.
func errorOf[T any](_ T, err error) error { return err }

func task(n int) json.RawMessage { return json.RawMessage(`{"id":` + string(mustJSON(n)) + `}`) }

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func update(t *testing.T, h *room.Hub, planID string, n int, opts ...room.BroadcastOption) {
	t.Helper()
	if _, err := h.BroadcastTaskUpdated(context.Background(), planID, task(n), opts...); err != nil {
		t.Fatalf("BroadcastTaskUpdated(%d) = %v", n, err)
	}
}

// wantEvent takes the next event of m and compares its number.
func wantEvent(t *testing.T, m *roomtest.Member, n int) protocol.Message {
	t.Helper()
	got := m.Next()
	if diff := cmp.Diff(`{"task":`+string(task(n))+`}`, string(got.Data)); got.Type != protocol.TypeTaskUpdated || diff != "" {
		t.Fatalf("got %s, want event %d (-want +got):\n%s", got.Type, n, diff)
	}
	return got
}

func TestOrderIsTheSameForAllMembers(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		alice, bob := of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
		carol := of.join(t, h, "carol", "other")
		for n := range 100 {
			update(t, h, "p", n)
		}
		for n := range 100 {
			a, b := wantEvent(t, alice, n), wantEvent(t, bob, n)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("alice and bob differ: %s", diff)
			}
		}
		synctest.Wait()
		alice.Silent()
		bob.Silent()
		carol.Silent()
	})
}

func TestExcludedMembersGetAReceipt(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		tab1 := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Blocking: of.blocking, ClientID: "tab1"})
		tab1.Join("p", nil)
		tab2 := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Blocking: of.blocking, ClientID: "tab2"})
		tab2.Join("p", nil)
		bob := roomtest.Connect(t, h, auth.Identity{UserID: "bob"}, &roomtest.Options{Blocking: of.blocking, ClientID: "tab1"})
		bob.Join("p", nil)
		update(t, h, "p", 1, room.By("alice"), room.ExceptClient("alice", "tab1"), room.Mutation("m1"))
		update(t, h, "p", 2)

		receipt := tab1.Next()
		if receipt.Type != protocol.TypeReceipt || receipt.By != "alice" || receipt.MutationID != "m1" || receipt.Data != nil {
			t.Errorf("tab1 got %+v, want a receipt", receipt)
		}
		wantEvent(t, tab1, 2)
		for _, m := range []*roomtest.Member{tab2, bob} {
			if got := wantEvent(t, m, 1); got.By != "alice" || got.MutationID != "m1" {
				t.Errorf("got by %q, mutation %q", got.By, got.MutationID)
			}
			wantEvent(t, m, 2)
		}

		update(t, h, "p", 3, room.ExceptUser("alice"))
		for _, m := range []*roomtest.Member{tab1, tab2} {
			if got := m.Next(); got.Type != protocol.TypeReceipt {
				t.Errorf("got %s, want a receipt", got.Type)
			}
		}
		wantEvent(t, bob, 3)

		// In a replay too.
		tab2.Cut()
		update(t, h, "p", 4, room.ExceptUser("alice"))
		tab2.Resume()
		if got := tab2.Next(); got.Type != protocol.TypeReceipt || !tab2.Joined.Recovered {
			t.Errorf("got %s, recovered %v; want a receipt after a recovery", got.Type, tab2.Joined.Recovered)
		}
	})
}

func TestResume(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		m := of.join(t, h, "alice", "p")
		stay := of.join(t, h, "bob", "p")
		_ = stay
		m.Cut()
		for n := range 256 {
			update(t, h, "p", n)
		}
		m.Resume()
		if !m.Joined.Recovered {
			t.Fatal("256 events behind: not recovered")
		}
		for n := range 256 {
			wantEvent(t, m, n)
		}
		m.Cut()
		for n := range 257 {
			update(t, h, "p", n)
		}
		m.Resume()
		if m.Joined.Recovered {
			t.Fatal("257 events behind: recovered")
		}
		synctest.Wait()
		m.Silent()
		update(t, h, "p", 1)
		wantEvent(t, m, 1)
	})
}

func TestStalledReaderResumesOrResyncs(t *testing.T) {
	eachSink(t, &room.Options{HistoryBytes: 400 << 10}, func(t *testing.T, h *room.Hub, of sinks) {
		slow := roomtest.Connect(t, h, auth.Identity{UserID: "slow"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 100})
		slow.Join("p", nil)
		fast := of.join(t, h, "fast", "p")
		slow.Stall()
		for n := range 50 {
			update(t, h, "p", n)
		}
		for n := range 50 {
			wantEvent(t, fast, n)
		}
		synctest.Wait()
		slow.Unstall()
		for n := range 50 {
			wantEvent(t, slow, n)
		}
		slow.Stall()
		for n := range 600 { // HistoryEvents does not bound how far a reader may be behind
			update(t, h, "p", n)
			wantEvent(t, fast, n)
		}
		if got := summary(t, h, "p").Events; got < 600 {
			t.Errorf("%d events are held while a reader is 600 behind", got)
		}
		slow.Unstall()
		for n := range 600 {
			wantEvent(t, slow, n)
		}
		synctest.Wait()
		if got := summary(t, h, "p").Events; got != 256 {
			t.Errorf("%d events are held when all are read, want 256", got)
		}
		slow.Stall()
		for n := range 3000 { // HistoryBytes does
			update(t, h, "p", n)
			wantEvent(t, fast, n)
		}
		synctest.Wait()
		slow.Unstall()
		n := 0
		for {
			got := slow.Next()
			if got.Type == protocol.TypeResync {
				break
			}
			n++
		}
		update(t, h, "p", 7)
		wantEvent(t, slow, 7)
		wantEvent(t, fast, 7)
		t.Logf("%d before the resync", n)
		slow.Stall()
		for n := range 10 {
			update(t, h, "p", n)
			wantEvent(t, fast, n)
		}
		time.Sleep(12 * time.Second)
		if g, code := slow.Closed(); code != protocol.CloseAbnormal {
			t.Errorf("closed %v %v", g, code)
		}
		if got := h.Stats().TooSlow; got != 1 {
			t.Errorf("TooSlow = %d, want 1", got)
		}
	})
}

// summary returns the room of a plan, which must exist.
func summary(t *testing.T, h *room.Hub, planID string) room.Summary {
	t.Helper()
	info, ok := h.Room(planID)
	if !ok {
		t.Fatalf("there is no room for %s", planID)
	}
	return info.Summary
}
