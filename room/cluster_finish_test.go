package room_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestShutdownStoresResyncs shuts a node down that could not store an event. As soon as the engine
// answers again, the clients of other nodes load the plan.
func TestShutdownStoresResyncs(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		nodes[0].engine.Cut()
		if _, err := nodes[0].BroadcastTaskUpdated(t.Context(), "p", "one"); err == nil {
			t.Fatal("Broadcast has returned nil without an engine")
		}
		heal := time.AfterFunc(3*time.Second, nodes[0].engine.Heal)
		defer heal.Stop()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := nodes[0].Shutdown(ctx); err != nil {
			t.Fatal(err)
		}
		alice.WantEvent(protocol.TypeResync, nil)
	})
}

// TestShutdownAwaitsBroadcasts shuts a node down while a broadcast waits for the engine.
func TestShutdownAwaitsBroadcasts(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		nodes[0].engine.Cut()
		published := make(chan error, 1)
		go func() {
			_, err := nodes[0].BroadcastTaskUpdated(t.Context(), "p", map[string]string{"title": "one"})
			published <- err
		}()
		synctest.Wait()
		heal := time.AfterFunc(5*time.Second, nodes[0].engine.Heal)
		defer heal.Stop()
		if err := nodes[0].Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-published; err != nil {
			t.Error(err)
		}
		wantTitle(t, alice, "one")
	})
}

// TestShutdownAwaitsCallsWithSeveralEvents shuts a node down during calls that publish several
// events, whose last event is stored seconds after the first one.
func TestShutdownAwaitsCallsWithSeveralEvents(t *testing.T) {
	deleted := protocol.TaskDeleted("7")
	for name, call := range map[string]func(context.Context, *room.Hub) error{
		"move": func(ctx context.Context, h *room.Hub) error {
			return h.BroadcastTaskMoved(ctx, room.TaskMove{From: "p", To: "q", TaskID: "7", Task: 1})
		},
		"plans": func(ctx context.Context, h *room.Hub) error {
			return h.BroadcastToPlans(ctx, []string{"q", "p"}, deleted)
		},
		"batch": func(ctx context.Context, h *room.Hub) error {
			_, err := h.BroadcastBatch(ctx, "p", []protocol.Event{{Type: "a", Data: 1}, deleted})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
				alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
				nodes[0].engine.SetDelay(4*time.Second, 0)
				published := make(chan error, 1)
				go func() { published <- call(t.Context(), nodes[0].Hub) }()
				synctest.Wait()
				if err := nodes[0].Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := <-published; err != nil {
					t.Error(err)
				}
				for alice.NextMessage().Type != protocol.TypeTaskDeleted { // an event may come before
					continue
				}
			})
		})
	}
}

// TestShutdownGivesUpResyncs shuts a node down while its engine does not answer: Shutdown ends with
// its context, or when an append would, and logs that clients miss something.
func TestShutdownGivesUpResyncs(t *testing.T) {
	for name, limit := range map[string]time.Duration{"context": 5 * time.Second, "time": 0} {
		t.Run(name, func(t *testing.T) {
			log := &notebook{}
			nodes(t, 1, room.Options{Logger: log.logger()}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
				nodes[0].engine.Cut()
				for _, plan := range []string{"p", "q"} {
					_, _ = nodes[0].BroadcastTaskUpdated(t.Context(), plan, "one")
				}
				start := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := 15 * time.Second
				if limit != 0 {
					want = limit
					time.AfterFunc(limit, cancel)
				}
				_ = nodes[0].Shutdown(ctx)
				if took := time.Since(start); took < want || took > want+3*time.Second {
					t.Errorf("Shutdown took %v, want %v, and up to 2 s to leave the cluster", took, want)
				}
				lines := log.lines("level=", "Shutdown has ended before")
				if len(lines) != 1 || !strings.Contains(lines[0], "plans=2") {
					t.Errorf("the log has %q", lines)
				}
			})
		})
	}
}

// TestBroadcastThatFailsWhileTheNodeLeaves begins a broadcast when Shutdown no longer waits for
// any, but has yet to close the engine. The engine answers after the broadcast has failed.
func TestBroadcastThatFailsWhileTheNodeLeaves(t *testing.T) {
	o := room.Options{PublishTimeout: time.Second}
	nodes(t, 2, o, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		alice := roomtest.Join(t, nodes[1].Hub, "alice", "p")
		nodes[0].engine.Stall() // the record that the node leaves
		done := make(chan error, 1)
		go func() { done <- nodes[0].Shutdown(t.Context()) }() // ends below
		synctest.Wait()
		nodes[0].engine.Cut()
		if _, err := nodes[0].BroadcastTaskUpdated(t.Context(), "p", "one"); err == nil {
			t.Error("Broadcast has returned nil without an engine")
		}
		nodes[0].engine.Heal()
		if err := <-done; err != nil {
			t.Error(err)
		}
		alice.WantEvent(protocol.TypeResync, nil)
	})
}

// TestShutdownWithoutTime shuts a node down with a context that has ended: its record that
// it has left is stored all the same, so the other nodes do not wait for it.
func TestShutdownWithoutTime(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = nodes[1].Shutdown(ctx)
		start := time.Now()
		if _, err := nodes[0].Revoke(t.Context(), "p", "alice"); err != nil || time.Since(start) > time.Second {
			t.Errorf("Revoke took %v, %v", time.Since(start), err)
		}
	})
}
