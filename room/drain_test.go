package room_test

import (
	"context"
	"errors"
	"fmt"
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

// shutdown ends h within d and returns the error and how long it took.
func shutdown(h *room.Hub, d time.Duration) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	start := time.Now()
	err = h.Shutdown(ctx)
	return time.Since(start), err
}

func TestShutdownOfAnUnusedHub(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		if took, err := shutdown(h, time.Second); err != nil || took != 0 {
			t.Errorf("Shutdown = %v after %v", err, took)
		}
	})
}

// Each member receives all events that have a position, and then goodbye with its own slot, in
// batches.
func TestShutdown(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		members := make([]*roomtest.Member, 300)
		for n := range members {
			members[n] = of.connect(t, h, fmt.Sprint("user", n%15), roomtest.Options{})
			members[n].Join("p", nil)
		}
		for _, m := range members {
			unread(t, m)
		}
		for n := range 10 {
			update(t, h, "p", n)
		}
		took, err := shutdown(h, 10*time.Second)
		if err != nil || took != 2*50*time.Millisecond {
			t.Errorf("Shutdown = %v after %v, want nil after two pauses", err, took)
		}
		slots := make(map[int64]bool)
		for _, m := range members {
			for n := range 10 {
				wantEvent(t, m, n)
			}
			g := wantClosed(t, m, protocol.CloseShutdown)
			slots[g.RetryAfterMs] = true
			if g.RetryAfterMs <= 0 {
				t.Errorf("retryAfterMs = %d", g.RetryAfterMs)
			}
		}
		if len(slots) != len(members) {
			t.Errorf("%d different slots for %d connections", len(slots), len(members))
		}
	})
}

func TestAfterShutdown(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		ctx := t.Context()
		m := roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1)
		if _, err := shutdown(h, time.Second); err != nil {
			t.Fatalf("Shutdown = %v", err)
		}
		_, positionErr := h.Position(ctx, "p")
		_, notifyErr := h.Notify(ctx, "alice", protocol.Event{Type: "x"})
		_, connectErr := h.Connect(ctx, auth.Identity{UserID: "bob"}, roomtest.NewSink(nil), nil)
		for name, err := range map[string]error{
			"BroadcastTaskUpdated":     errorOf(h.BroadcastTaskUpdated(ctx, "p", 1)),
			"BroadcastTaskCreated":     errorOf(h.BroadcastTaskCreated(ctx, "p", 1)),
			"BroadcastTaskDeleted":     errorOf(h.BroadcastTaskDeleted(ctx, "p", "1")),
			"BroadcastTaskReordered":   errorOf(h.BroadcastTaskReordered(ctx, "p", nil)),
			"BroadcastProgressUpdated": errorOf(h.BroadcastProgressUpdated(ctx, "p", 1)),
			"Broadcast":                errorOf(h.Broadcast(ctx, "p", protocol.Event{Type: "x"})),
			"BroadcastToPlans":         h.BroadcastToPlans(ctx, []string{"p"}, protocol.Event{Type: "x"}),
			"BroadcastToPlans of none": h.BroadcastToPlans(ctx, nil, protocol.Event{Type: "x"}),
			"BroadcastTaskMoved":       h.BroadcastTaskMoved(ctx, room.TaskMove{From: "p", To: "q", TaskID: 1}),
			"Notify":                   notifyErr,
			"Resync":                   h.Resync(ctx, "p"),
			"Revoke":                   errorOf(h.Revoke(ctx, "p", "alice")),
			"Disconnect":               errorOf(h.Disconnect(ctx, "alice")),
			"Position":                 positionErr,
			"Connect":                  connectErr,
		} {
			if !errors.Is(err, room.ErrHubClosed) {
				t.Errorf("%s after Shutdown = %v, want ErrHubClosed", name, err)
			}
		}
		if took, err := shutdown(h, time.Second); err != nil || took != 0 {
			t.Errorf("a second Shutdown = %v after %v", err, took)
		}
		m.Send(pingMessage) // a transport may come late
		m.Session().ControlFrame()
		m.Session().WriteControl([]byte("x"))
		m.Session().Close(protocol.CloseInternal)
		<-m.Session().Done()
		got := h.Stats()
		if got.Connections != 0 || got.Users != 0 || got.Rooms != 0 || got.HistoryBytes != 0 || len(h.Rooms()) != 0 {
			t.Errorf("%+v after Shutdown, want nothing held", got)
		}
		if _, ok := h.Room("p"); ok || h.UserConnections("alice") != 0 {
			t.Error("there is a room or a connection after Shutdown")
		}
	})
}

// A member that is behind receives all events that have a position before the goodbye, if it reads
// them in time.
func TestShutdownWaitsForTheSlow(t *testing.T) {
	tests := []struct {
		name    string
		takes   time.Duration // when the socket takes everything; 0 is never
		ctx     time.Duration
		took    time.Duration
		err     error
		goodbye bool
	}{
		{name: "takes it in time", takes: 900 * time.Millisecond, ctx: 10 * time.Second, took: 900 * time.Millisecond, goodbye: true},
		{name: "never", ctx: 10 * time.Second, took: time.Second},
		{name: "never, and the context ends", ctx: 300 * time.Millisecond, took: 300 * time.Millisecond, err: context.DeadlineExceeded},
		{name: "the context has ended", ctx: -1, err: context.DeadlineExceeded},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				p := of.pipe(t, h, "alice", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				p.read()
				p.open(10)
				for n := range 5 {
					update(t, h, "p", n)
				}
				synctest.Wait()
				if test.takes > 0 {
					time.AfterFunc(test.takes, func() { p.open(-1) })
				}
				took, err := shutdown(h, test.ctx)
				if !errors.Is(err, test.err) || took != test.took {
					t.Errorf("Shutdown = %v after %v, want %v after %v", err, took, test.err, test.took)
				}
				got := p.read()
				if n := strings.Count(got, `"task-updated"`); test.goodbye && (n != 5 || !strings.HasSuffix(got, "(close 4503 shutting down)\n")) {
					t.Errorf("wrote %q, want 5 events, goodbye, close", got)
				}
				if finished, closed := p.state(); finished != test.goodbye || closed == test.goodbye {
					t.Errorf("finished %v, cut %v", finished, closed)
				}
			})
		})
	}
}

// Once Shutdown has begun, the hub accepts nothing more, even while it waits for slow members.
func TestDuringShutdown(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		alice := roomtest.Connect(t, h, auth.Identity{UserID: "alice"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 10})
		alice.Join("p", nil)
		alice.Stall()
		done := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := shutdown(h, 5*time.Second)
				done <- err
			}()
		}
		synctest.Wait()
		if _, err := h.BroadcastTaskUpdated(t.Context(), "p", 1); !errors.Is(err, room.ErrHubClosed) {
			t.Errorf("Broadcast during Shutdown = %v, want ErrHubClosed", err)
		}
		if _, err := h.Connect(t.Context(), auth.Identity{UserID: "bob"}, roomtest.NewSink(nil), nil); !errors.Is(err, room.ErrHubClosed) {
			t.Errorf("Connect during Shutdown = %v, want ErrHubClosed", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := h.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second Shutdown whose context ends first = %v", err)
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("Shutdown = %v", err)
			}
		}
		if _, code := alice.Closed(); code != protocol.CloseAbnormal {
			t.Errorf("the stalled connection ended with %d", code)
		}
	})
}

// An event that Broadcast accepted is delivered, even just before Shutdown.
func TestShutdownDuringBroadcasts(t *testing.T) {
	for range 5 {
		eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
			alice, bob := of.join(t, h, "alice", "p"), of.join(t, h, "bob", "p")
			var accepted atomic.Int64
			var wg sync.WaitGroup
			started := make(chan struct{}, 4)
			for range 4 {
				wg.Go(func() {
					for n := 0; ; n++ {
						_, err := h.BroadcastTaskUpdated(context.Background(), "p", n)
						if err != nil {
							if !errors.Is(err, room.ErrHubClosed) {
								t.Errorf("Broadcast = %v", err)
							}
							return
						}
						accepted.Add(1)
						if n == 20 {
							started <- struct{}{}
						}
					}
				})
			}
			<-started
			if _, err := shutdown(h, 5*time.Second); err != nil {
				t.Errorf("Shutdown = %v", err)
			}
			wg.Wait()
			for _, m := range []*roomtest.Member{alice, bob} {
				events, resyncs := int64(0), 0
				for {
					msg := m.NextMessage()
					if msg.Type == protocol.TypeTaskUpdated {
						events++
					}
					if msg.Type == protocol.TypeResync {
						resyncs++
					}
					if msg.Type == protocol.TypeGoodbye {
						break
					}
				}
				if events != accepted.Load() && resyncs == 0 {
					t.Errorf("got %d events of %d accepted ones", events, accepted.Load())
				}
			}
		})
	}
}

// A join that is in flight when Shutdown begins ends without an answer, and delays nothing.
func TestShutdownDuringAJoin(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		g.set(func(ctx context.Context, _ auth.Identity, _ string) error {
			pause(ctx, 4*time.Second)
			return ctx.Err()
		})
		m := connect(t, h, "alice", "")
		m.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		if took, err := shutdown(h, 5*time.Second); err != nil || took != 0 {
			t.Errorf("Shutdown = %v after %v", err, took)
		}
		wantClosed(t, m, protocol.CloseShutdown)
	})
}

// Shutdown waits at most one second for a callback that ignores its context.
func TestShutdownWithAHangingCallback(t *testing.T) {
	g := &authorizer{}
	bubble(t, &room.Options{Authorize: g.authorize}, func(t *testing.T, h *room.Hub) {
		release := make(chan struct{})
		g.set(func(context.Context, auth.Identity, string) error {
			<-release
			return nil
		})
		m := connect(t, h, "alice", "")
		m.Send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		if took, err := shutdown(h, 5*time.Second); !errors.Is(err, room.ErrCallback) || took != time.Second {
			t.Errorf("Shutdown = %v after %v, want ErrCallback after a second", err, took)
		}
		wantClosed(t, m, protocol.CloseShutdown)
		close(release)
		synctest.Wait()
		if got := h.Stats().Rooms; got != 0 {
			t.Errorf("%d rooms after Shutdown", got)
		}
	})
}

// Callbacks may call Shutdown in a new goroutine, and call the hub while it shuts down.
func TestShutdownFromCallbacks(t *testing.T) {
	for _, from := range []string{"join", "leave", "disconnect", "broadcast", "authorize"} {
		t.Run(from, func(t *testing.T) {
			var h *room.Hub
			var once sync.Once
			done := make(chan error, 1)
			end := func(name string) {
				if name == from {
					once.Do(func() {
						go func() {
							_, err := shutdown(h, 5*time.Second)
							done <- err
						}()
					})
				}
				h.Stats()
				h.Room("p")
				_ = h.Resync(context.Background(), "other") // closed or not
			}
			opts := &room.Options{
				Authorize: func(context.Context, auth.Identity, string) error { end("authorize"); return nil },
				Observer: room.Observer{
					Join:       func(room.JoinInfo) { end("join") },
					Leave:      func(room.LeaveInfo) { end("leave") },
					Disconnect: func(room.DisconnectInfo) { end("disconnect") },
					Broadcast:  func(context.Context, room.BroadcastInfo) { end("broadcast") },
				},
			}
			synctest.Test(t, func(t *testing.T) {
				done = make(chan error, 1)
				h = newHub(t, opts)
				m := connect(t, h, "alice", "")
				m.Send(`{"type":"join-plan","planId":"p"}`)
				synctest.Wait()
				_, _ = h.BroadcastTaskUpdated(t.Context(), "p", 1) // closed or not
				m.Send(`{"type":"leave-plan","planId":"p"}`)
				synctest.Wait()
				m.Cut()
				if err := <-done; err != nil {
					t.Errorf("Shutdown = %v", err)
				}
			})
		})
	}
}
