package room_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// encodings is a value that counts how often it is encoded.
type encodings struct{ n *int }

func (e encodings) MarshalJSON() ([]byte, error) {
	*e.n++
	return []byte(`{"id":7}`), nil
}

func TestBroadcastToPlans(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		ann, bob := roomtest.Join(t, h, "ann", "p"), roomtest.Join(t, h, "bob", "q")
		n := 0
		err := h.BroadcastToPlans(t.Context(), []string{"p", "", "q", "a\nb"}, protocol.TaskUpdated(encodings{&n}),
			room.By("bob"), room.ExceptUser("bob"), room.Version("t7", 3))
		if !errors.Is(err, room.ErrPlanID) || strings.Count(err.Error(), "invalid plan id") != 2 || !strings.Contains(err.Error(), `"a\nb"`) {
			t.Errorf("BroadcastToPlans = %v, want an error for each of the two plans", err)
		}
		if n != 1 {
			t.Errorf("the task was encoded %d times", n)
		}
		event, receipt := ann.Next(), bob.Next()
		want := protocol.EventVersion{Key: "t7", N: 3}
		if words(event) != `task-updated p {"task":{"id":7}}` || event.By != "bob" || event.Version != want {
			t.Errorf("ann got %+v", event)
		}
		if words(receipt) != "receipt q " || receipt.By != "bob" || receipt.Version != want || !receipt.Timestamp.Equal(event.Timestamp) {
			t.Errorf("bob got %+v", receipt)
		}
		if h.Stats().Broadcasts != 2 {
			t.Errorf("%d broadcasts counted, want 2", h.Stats().Broadcasts)
		}

		for name, err := range map[string]error{
			"data":    h.BroadcastToPlans(t.Context(), []string{"p", "q"}, protocol.TaskUpdated(func() {})),
			"options": h.BroadcastToPlans(t.Context(), []string{"p", "q"}, protocol.TaskDeleted(7), room.By("a\xff")),
		} {
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("bad %s: %v, want one error", name, err)
			}
		}
		if err := h.BroadcastToPlans(t.Context(), nil, protocol.TaskDeleted(7)); err != nil {
			t.Errorf("no plans: %v", err)
		}
		wantReceived(t, ann)
		wantReceived(t, bob)
		if err := h.BroadcastToPlans(t.Context(), []string{"p", "q"}, protocol.TaskDeleted(7)); err != nil {
			t.Errorf("BroadcastToPlans = %v", err)
		}
		wantReceived(t, ann, `task-deleted p {"taskId":7}`)
		wantReceived(t, bob, `task-deleted q {"taskId":7}`)
	})
}

// A task that moves is created in one plan before it is deleted from the other.
func TestBroadcastTaskMoved(t *testing.T) {
	var order []string
	o := room.Observer{Broadcast: func(_ context.Context, b room.BroadcastInfo) { order = append(order, string(b.Type)+" "+b.PlanID) }}
	bubble(t, &room.Options{Observer: o, MaxPayload: 100}, func(t *testing.T, h *room.Hub) {
		both := connect(t, h, "ann", "")
		both.Join("from", nil)
		both.Join("to", nil)
		unread(t, both)
		move := room.TaskMove{From: "from", To: "to", TaskID: 7, Task: map[string]int{"id": 7}}
		if err := h.BroadcastTaskMoved(t.Context(), move, room.By("bob"), room.Mutation("m")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"task-created to", "task-deleted from"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		created, deleted := both.Next(), both.Next()
		if created.Seq > deleted.Seq {
			created, deleted = deleted, created // two plans have no order on a connection
		}
		if words(created) != `task-created to {"task":{"id":7}}` || words(deleted) != `task-deleted from {"taskId":7}` {
			t.Errorf("got %s, %s", words(created), words(deleted))
		}
		for _, m := range []protocol.Message{created, deleted} {
			if m.By != "bob" || m.MutationID != "m" {
				t.Errorf("%s by %q, mutation %q", m.Type, m.By, m.MutationID)
			}
		}
		order = nil
		for name, test := range map[string]struct {
			change func(m *room.TaskMove)
			want   error
		}{
			"no plan to move from": {func(m *room.TaskMove) { m.From = "" }, room.ErrPlanID},
			"no plan to move to":   {func(m *room.TaskMove) { m.To = "" }, room.ErrPlanID},
			"one plan":             {func(m *room.TaskMove) { m.To = m.From }, room.ErrPlanID},
			"an id that is none":   {func(m *room.TaskMove) { m.TaskID = 1.5 }, protocol.ErrTaskID},
			"a large task":         {func(m *room.TaskMove) { m.Task = strings.Repeat("x", 200) }, protocol.ErrEventTooLarge},
		} {
			bad := move
			test.change(&bad)
			if err := h.BroadcastTaskMoved(t.Context(), bad); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
		if err := h.BroadcastTaskMoved(t.Context(), move, room.By("a\xff")); !errors.Is(err, room.ErrUserID) {
			t.Errorf("bad options: %v", err)
		}
		wantReceived(t, both)
		if len(order) > 0 {
			t.Errorf("observed %q after errors", order)
		}
	})
}

// Shutdown may begin between the two events. The error then names both plans.
func TestShutdownInTheMiddleOfAMove(t *testing.T) {
	var h *room.Hub
	ended := make(chan error, 1)
	o := room.Observer{Broadcast: func(context.Context, room.BroadcastInfo) {
		go func() { ended <- h.Shutdown(context.Background()) }()
		for errorOf(h.Position(context.Background(), "p")) == nil {
			runtime.Gosched()
		}
	}}
	h = newHub(t, &room.Options{Observer: o})
	err := h.BroadcastTaskMoved(t.Context(), room.TaskMove{From: "from", To: "to", TaskID: "7", Task: 1})
	if !errors.Is(err, room.ErrHubClosed) || !strings.Contains(err.Error(), `created in plan "to", but not deleted from plan "from"`) {
		t.Errorf("BroadcastTaskMoved = %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Shutdown = %v", err)
	}
}

// Broadcasts return the position of their event: a client that joins there misses nothing.
func TestBroadcastReturnsThePosition(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		update(t, h, "other", 1)
		first, err := h.Broadcast(t.Context(), "p", protocol.TaskDeleted("1"))
		if err != nil || first != position(t, h, "p") {
			t.Fatalf("Broadcast = %v, %v, the plan is at %v", first, err, position(t, h, "p"))
		}
		for name, call := range map[string]func() (protocol.Position, error){
			"updated":   func() (protocol.Position, error) { return h.BroadcastTaskUpdated(t.Context(), "p", 1) },
			"created":   func() (protocol.Position, error) { return h.BroadcastTaskCreated(t.Context(), "p", 1) },
			"deleted":   func() (protocol.Position, error) { return h.BroadcastTaskDeleted(t.Context(), "p", 1) },
			"reordered": func() (protocol.Position, error) { return h.BroadcastTaskReordered(t.Context(), "p", []int{1}) },
			"progress":  func() (protocol.Position, error) { return h.BroadcastProgressUpdated(t.Context(), "p", 1) },
		} {
			got, err := call()
			if want := position(t, h, "p"); err != nil || got != want {
				t.Errorf("%s: %v, %v, want %v", name, got, err, want)
			}
		}
		m := connect(t, h, "ann", "")
		m.Join("p", &first)
		for seq := first.Seq + 1; seq <= position(t, h, "p").Seq; seq++ {
			if got := m.Next(); got.Seq != seq {
				t.Errorf("replayed %d, want %d", got.Seq, seq)
			}
		}
	})
}
