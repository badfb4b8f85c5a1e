package room_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestBroadcasts(t *testing.T) {
	ctx := context.Background()
	type task struct {
		ID   string `json:"id"`
		Done bool   `json:"done"`
	}
	tests := []struct {
		name string
		call func(h *room.Hub) error
		want string // type and data
	}{
		{"updated", func(h *room.Hub) error { return errorOf(h.BroadcastTaskUpdated(ctx, "p", task{"t1", true})) }, `task-updated {"task":{"id":"t1","done":true}}`},
		{"created", func(h *room.Hub) error { return errorOf(h.BroadcastTaskCreated(ctx, "p", task{"t2", false})) }, `task-created {"task":{"id":"t2","done":false}}`},
		{"deleted", func(h *room.Hub) error { return errorOf(h.BroadcastTaskDeleted(ctx, "p", "t1")) }, `task-deleted {"taskId":"t1"}`},
		{"reordered", func(h *room.Hub) error { return errorOf(h.BroadcastTaskReordered(ctx, "p", []string{"b", "a"})) }, `task-reordered {"taskIds":["b","a"]}`},
		{"reordered, none", func(h *room.Hub) error { return errorOf(h.BroadcastTaskReordered(ctx, "p", nil)) }, `task-reordered {"taskIds":[]}`},
		{"deleted, a number", func(h *room.Hub) error { return errorOf(h.BroadcastTaskDeleted(ctx, "p", 7)) }, `task-deleted {"taskId":7}`},
		{"reordered, numbers", func(h *room.Hub) error { return errorOf(h.BroadcastTaskReordered(ctx, "p", []int64{8, 7})) }, `task-reordered {"taskIds":[8,7]}`},
		{"progress", func(h *room.Hub) error { return errorOf(h.BroadcastProgressUpdated(ctx, "p", 0.5)) }, `progress-updated {"progress":0.5}`},
		{"a type of the host", func(h *room.Hub) error {
			return errorOf(h.Broadcast(ctx, "p", protocol.Event{Type: "comment-added", Data: map[string]int{"id": 7}}))
		}, `comment-added {"id":7}`},
		{"a RawMessage unchanged", func(h *room.Hub) error {
			return errorOf(h.BroadcastTaskUpdated(ctx, "p", json.RawMessage(`{"b":1.0,"a":"<>"}`)))
		}, `task-updated {"task":{"b":1.0,"a":"<>"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := roomtest.Join(t, h, "alice", "p")
				update(t, h, "other", 1)
				if err := test.call(h); err != nil {
					t.Fatalf("broadcast: %v", err)
				}
				got := m.Next()
				if diff := cmp.Diff(test.want, string(got.Type)+" "+string(got.Data)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				got.Type, got.Data = "", nil
				want := protocol.Message{PlanID: "p", Timestamp: time.Now().UTC(), Seq: 2, Prev: 0}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("envelope (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestBroadcastRefuses(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		for _, plan := range []string{"", "\x00", "a\nb", "\x7f", "\u0085", "\xff", strings.Repeat("x", 129)} {
			if _, err := h.BroadcastTaskUpdated(t.Context(), plan, 1); !errors.Is(err, room.ErrPlanID) {
				t.Errorf("plan %q: %v, want ErrPlanID", plan, err)
			}
		}
		for _, typ := range []protocol.Type{"", "pong", "join-plan", "receipt", "resync", "goodbye", "removed", "a\n", protocol.Type(strings.Repeat("x", 65))} {
			_, err := h.Broadcast(t.Context(), "p", protocol.Event{Type: typ, Data: 1})
			if !errors.Is(err, protocol.ErrEventType) {
				t.Errorf("type %q: %v, want ErrEventType", typ, err)
			}
			if _, err := h.Notify(t.Context(), "alice", protocol.Event{Type: typ, Data: 1}); !errors.Is(err, protocol.ErrEventType) {
				t.Errorf("notice of type %q: %v, want ErrEventType", typ, err)
			}
		}
		wantReceived(t, m)
		wantRooms(t, h, 1)
	})
}

// User IDs are kept with an event, and sent to every client, so their size is bounded.
func TestUserIDsAreBounded(t *testing.T) {
	long, bad := strings.Repeat("u", protocol.MaxUserIDBytes+1), "a\xff"
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		for _, id := range []string{long, bad} {
			for name, opt := range map[string]room.BroadcastOption{
				"By": room.By(id), "ExceptUser": room.ExceptUser(id), "ExceptClient": room.ExceptClient(id, "tab"),
				"Combine": room.Combine(room.Mutation("m"), room.Combine(room.By(id))),
			} {
				if _, err := h.BroadcastTaskUpdated(t.Context(), "p", 1, opt); !errors.Is(err, room.ErrUserID) {
					t.Errorf("Broadcast with %s(%.10q) = %v, want ErrUserID", name, id, err)
				}
			}
			if _, err := h.Connect(t.Context(), auth.Identity{UserID: id}, roomtest.NewSink(nil), nil); !errors.Is(err, room.ErrUserID) {
				t.Errorf("Connect of %.10q = %v, want ErrUserID", id, err)
			}
		}
		wantReceived(t, bob)
		if _, err := h.BroadcastTaskUpdated(t.Context(), "p", 1, room.By(long[1:])); err != nil {
			t.Errorf("Broadcast by a user of %d bytes = %v", protocol.MaxUserIDBytes, err)
		}
	})
}

func TestBroadcastOptions(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice, bob := connect(t, h, "alice", "tab"), connect(t, h, "bob", "tab")
		alice.Join("p", nil)
		bob.Join("p", nil)
		tests := []struct {
			name         string
			opts         []room.BroadcastOption
			by, mutation string
			alice, bob   bool // gets the event instead of a receipt
		}{
			{name: "none", alice: true, bob: true},
			{name: "the zero value", opts: []room.BroadcastOption{{}}, alice: true, bob: true},
			{name: "by", opts: []room.BroadcastOption{room.By("zoë \"z\"")}, by: `zoë "z"`, alice: true, bob: true},
			{name: "mutation", opts: []room.BroadcastOption{room.Mutation("m-1_A")}, mutation: "m-1_A", alice: true, bob: true},
			{name: "an invalid mutation", opts: []room.BroadcastOption{room.Mutation("m 1")}, alice: true, bob: true},
			{name: "a mutation too long", opts: []room.BroadcastOption{room.Mutation(strings.Repeat("m", 65))}, alice: true, bob: true},
			{name: "except a user", opts: []room.BroadcastOption{room.ExceptUser("alice")}, bob: true},
			{name: "except two", opts: []room.BroadcastOption{room.ExceptUser("alice"), room.ExceptUser("bob")}},
			{name: "except an absent user", opts: []room.BroadcastOption{room.ExceptUser("carol")}, alice: true, bob: true},
			{name: "except a client", opts: []room.BroadcastOption{room.ExceptClient("alice", "tab")}, bob: true},
			{name: "except another client", opts: []room.BroadcastOption{room.ExceptClient("alice", "tab2")}, alice: true, bob: true},
			{name: "except no client", opts: []room.BroadcastOption{room.ExceptClient("alice", "")}, alice: true, bob: true},
			{name: "combined", opts: []room.BroadcastOption{room.Combine(room.By("bob"), room.Mutation("m"), room.ExceptClient("bob", "tab"))}, by: "bob", mutation: "m", alice: true},
		}
		for n, test := range tests {
			update(t, h, "p", n, test.opts...)
			for m, event := range map[*roomtest.Member]bool{alice: test.alice, bob: test.bob} {
				got := m.Next()
				want := protocol.Type(protocol.TypeReceipt)
				if event {
					want = protocol.TypeTaskUpdated
				}
				if got.Type != want || got.By != test.by || got.MutationID != test.mutation || (got.Data != nil) != event {
					t.Errorf("%s: got %+v, want a %s by %q, mutation %q", test.name, got, want, test.by, test.mutation)
				}
			}
		}
	})
}

// The original client has no client ID. It gets a receipt if its connection ID is excluded.
func TestExceptAConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1, room.ExceptClient("alice", m.Hello.ConnectionID))
		if got := m.Next(); got.Type != protocol.TypeReceipt {
			t.Errorf("got %s, want a receipt", words(got))
		}
	})
}

// An event of a change that was committed is sent, even if the request's context has ended.
func TestBroadcastOfACancelledRequest(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "alice", "p")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.BroadcastTaskUpdated(ctx, "p", task(1)); err != nil {
			t.Errorf("Broadcast = %v", err)
		}
		wantEvent(t, m, 1)
	})
}

// Seq grows over all plans; prev is the event before it in the plan.
func TestSeqAndPrev(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		plans := []string{"p", "q", "r"}
		members := make(map[string]*roomtest.Member)
		prev := make(map[string]uint64)
		for _, plan := range plans {
			members[plan] = of.join(t, h, "user "+plan, plan)
		}
		var last uint64
		for n := range 30 {
			plan := plans[n*n%7%3]
			update(t, h, plan, n)
			got := wantEvent(t, members[plan], n)
			if got.Seq <= last || got.Prev != prev[plan] {
				t.Errorf("event %d has seq %d after %d, prev %d after %d", n, got.Seq, last, got.Prev, prev[plan])
			}
			last, prev[plan] = got.Seq, got.Seq
		}
	})
}

func TestNotify(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		tab1, tab2 := of.join(t, h, "alice", "p"), of.connect(t, h, "alice", roomtest.Options{})
		bob := of.join(t, h, "bob", "p")
		unread(t, tab1)
		before := position(t, h, "p")
		if queued, err := h.Notify(t.Context(), "alice", protocol.Event{Type: "assigned", Data: map[string]string{"task": "t1"}}); err != nil || queued != 2 {
			t.Fatalf("Notify = %d, %v, want both tabs", queued, err)
		}
		for _, m := range []*roomtest.Member{tab1, tab2} {
			got := m.Next()
			want := protocol.Message{Type: "assigned", Data: json.RawMessage(`{"task":"t1"}`), Timestamp: time.Now().UTC()}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("got (-want +got):\n%s", diff)
			}
		}
		wantReceived(t, bob)
		if queued, err := h.Notify(t.Context(), "carol", protocol.Event{Type: "assigned"}); err != nil || queued != 0 {
			t.Errorf("Notify of a user without a connection = %d, %v", queued, err)
		}
		if got := position(t, h, "p"); got != before {
			t.Errorf("position %v, want %v: a notice takes none", got, before)
		}
		tab1.Resume()
		wantReceived(t, tab1)
	})
}

// A large room has more than one shard, each with its pump; all members receive the same.
func TestManyMembers(t *testing.T) {
	bubble(t, &room.Options{PresenceLimit: 10, ConnectionsPerUser: 3000}, func(t *testing.T, h *room.Hub) {
		members := make([]*roomtest.Member, 2100)
		for n := range members {
			members[n] = connect(t, h, fmt.Sprint("user", n%5), "")
			members[n].Join("p", nil)
		}
		for _, n := range []int{0, 1023, 1024, 2000} { // holes in the shards
			members[n].Send(`{"type":"leave-plan","planId":"p"}`)
			synctest.Wait()
			members[n].Join("p", nil)
		}
		for n := range 3 {
			update(t, h, "p", n)
		}
		for _, m := range members {
			for n := range 3 {
				wantEvent(t, m, n)
			}
		}
		info, _ := h.Room("p")
		if info.Connections != len(members) || info.Participants != 5 {
			t.Errorf("room %+v, want %d connections of 5 people", info.Summary, len(members))
		}
	})
}

// Broadcast allocates, apart from the caller's any, the payload and sometimes a block of entries.
func TestBroadcastAllocates(t *testing.T) {
	h := newHub(t, nil)
	var task any = json.RawMessage(`{"id":"7","title":"Write the benchmark before the claim"}`)
	for name, test := range map[string]struct {
		opts []room.BroadcastOption
		want float64
	}{
		"plain":          {nil, 1},
		"with a version": {[]room.BroadcastOption{room.Version("t1", 7)}, 1},
		"from a context": {[]room.BroadcastOption{room.AuthorFrom(room.WithAuthor(t.Context(), room.Author{ClientID: "tab", MutationID: "m-1"}), "ann")}, 2},
		"with an author": {[]room.BroadcastOption{room.By("ann"), room.ExceptClient("ann", "tab"), room.Mutation("m-1")}, 2},
	} {
		got := testing.AllocsPerRun(1000, func() {
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", task, test.opts...); err != nil {
				t.Fatal(err)
			}
		})
		if got > test.want {
			t.Errorf("%s: %v allocations, want %v", name, got, test.want)
		}
	}
}
