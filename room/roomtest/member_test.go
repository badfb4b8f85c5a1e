package roomtest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// newHub returns a hub that ends with the test. Users may join all plans but "secret".
func newHub(t *testing.T, o *room.Options) *room.Hub {
	if o == nil {
		o = &room.Options{}
	}
	o.Authorize = func(_ context.Context, _ auth.Identity, planID string) error {
		if planID == "secret" {
			return room.ErrForbidden
		}
		return nil
	}
	h := room.NewHub(o)
	t.Cleanup(func() {
		if err := h.Shutdown(context.Background()); err != nil && !errors.Is(err, room.ErrHubClosed) {
			t.Error(err)
		}
	})
	return h
}

// bubble runs a test with a hub in virtual time.
func bubble(t *testing.T, o *room.Options, test func(t *testing.T, h *room.Hub)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, newHub(t, o)) })
}

func update(t *testing.T, h *room.Hub, plan, title string, o ...room.BroadcastOption) {
	t.Helper()
	if _, err := h.BroadcastTaskUpdated(context.Background(), plan, map[string]string{"title": title}, o...); err != nil {
		t.Fatal(err)
	}
}

// wantTask waits for the event of a task.
func wantTask(t *testing.T, m *roomtest.Member, plan, title string) {
	t.Helper()
	var got struct{ Task struct{ Title string } }
	if msg := m.WantEvent(protocol.TypeTaskUpdated, &got); msg.PlanID != plan || got.Task.Title != title {
		t.Errorf("%q of %s, want %q of %s", got.Task.Title, msg.PlanID, title, plan)
	}
}

func TestEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		ann := roomtest.Join(t, h, "ann", "p", &roomtest.Options{ClientID: "tab1"})
		bob := roomtest.Join(t, h, "bob", "p", &roomtest.Options{Blocking: true})
		update(t, h, "p", "Milk", room.ExceptClient("ann", "tab1"), room.Mutation("m-1"))
		ann.WantReceipt("m-1")
		wantTask(t, bob, "p", "Milk")
		ann.Silent()
		bob.Silent()
		if ann.Position() != bob.Position() || ann.Position().Seq == 0 {
			t.Errorf("positions %v and %v", ann.Position(), bob.Position())
		}
		ann.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "secret"})
		if e := ann.Refused(protocol.ErrorForbidden); e.Re != protocol.TypeJoinPlan {
			t.Errorf("error %+v", e)
		}
		if ann.Hello.ClientID != "tab1" || ann.Session() != ann.Sink().Session() || !bob.Joined.Success {
			t.Errorf("hello %+v, joined %+v", ann.Hello, bob.Joined)
		}
	})
}

// A member that has joined nothing is silent, and so is one of two tabs that has left.
func TestSilentOutside(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		idle := roomtest.Connect(t, h, auth.Identity{UserID: "idle"}, nil)
		stays, leaves := roomtest.Join(t, h, "ann", "p"), roomtest.Join(t, h, "ann", "p")
		leaves.Leave("p")
		update(t, h, "p", "Milk")
		idle.Silent()
		leaves.Silent()
		wantTask(t, stays, "p", "Milk")
		stays.Cut()
		stays.Silent()
	})
}

// Messages that arrive while a member waits for an answer are kept.
func TestAnswersKeepEvents(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "ann", "p")
		update(t, h, "p", "1")
		synctest.Wait()
		m.Join("q", nil)
		update(t, h, "q", "2")
		synctest.Wait()
		m.Leave("p")
		update(t, h, "q", "3")
		wantTask(t, m, "p", "1")
		wantTask(t, m, "q", "2")
		wantTask(t, m, "q", "3")
		m.Send(`{"type":"leave-plan","planId":"q"}`)
		if got := m.Next(); got.Type != protocol.TypeLeavePlan {
			t.Errorf("Next returned %s, want the answer", got.Type)
		}
		m.Silent()
	})
}

// Resume continues in every plan.
func TestResume(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := roomtest.Join(t, h, "ann", "p")
		m.Join("left", nil)
		m.Leave("left")
		m.Join("q", nil)
		m.Cut()
		if _, code := m.Closed(); code != protocol.CloseAbnormal {
			t.Errorf("closed with %d", code)
		}
		for _, plan := range []string{"p", "left", "q"} {
			update(t, h, plan, plan)
		}
		m.Resume()
		wantTask(t, m, "p", "p")
		wantTask(t, m, "q", "q")
		m.Silent()
		if !m.Joined.Recovered {
			t.Error("not recovered")
		}
		for _, plan := range []string{"p", "q"} {
			if end, err := h.Position(t.Context(), plan); err != nil || m.PositionIn(plan) != end {
				t.Errorf("at %v of %s, want %v (%v)", m.PositionIn(plan), plan, end, err)
			}
		}
	})
}

// Resume omits the plan that was joined last if the client is no longer in it.
func TestResumeOutside(t *testing.T) {
	for name, end := range map[string]func(h *room.Hub, m *roomtest.Member){
		"left": func(_ *room.Hub, m *roomtest.Member) { m.Leave("last") },
		"removed": func(h *room.Hub, m *roomtest.Member) {
			if n, err := h.Revoke(context.Background(), "last", "ann"); n != 1 || err != nil {
				t.Errorf("Revoke returned %d, %v", n, err)
			}
			var why protocol.Removed
			if got := m.WantEvent(protocol.TypeRemoved, &why); got.PlanID != "last" || why.Reason == "" {
				t.Errorf("removed from %q: %+v", got.PlanID, why)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := roomtest.Join(t, h, "ann", "first")
				m.Join("last", nil)
				end(h, m)
				m.Resume()
				update(t, h, "first", "Milk")
				update(t, h, "last", "Bread")
				wantTask(t, m, "first", "Milk")
				synctest.Wait()
				m.Silent()
			})
		})
	}
}

// Participants are what the messages say that the test has read.
func TestParticipants(t *testing.T) {
	bubble(t, &room.Options{Linger: time.Second}, func(t *testing.T, h *room.Hub) {
		ann := roomtest.Join(t, h, "ann", "p")
		want := func(want string) {
			t.Helper()
			time.Sleep(5 * time.Second) // the hub gathers notices
			ann.Silent()
			var got []string
			for _, p := range ann.Participants("p") {
				got = append(got, p.UserID+string(p.State))
			}
			if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
				t.Errorf("participants (-want +got):\n%s", diff)
			}
		}
		want("ann")
		bob := roomtest.Join(t, h, "bob", "p")
		want("ann bob")
		bob.SetPresence("p", map[string]int{"row": 3})
		want(`ann bob{"row":3}`)
		bob.SetPresence("p", nil)
		want("ann bob")
		bob.Cut()
		want("ann")
		ann.Leave("p")
		want("")
	})
}

// The hub closes a stalled client. The client never reads the goodbye.
func TestStalledMember(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		slow := roomtest.Join(t, h, "slow", "p", &roomtest.Options{SocketBuffer: 1000})
		short := roomtest.Join(t, h, "short", "p")
		slow.Stall()
		short.Stall()
		update(t, h, "p", strings.Repeat("x", 2000))
		time.Sleep(time.Second)
		short.Unstall()
		wantTask(t, short, "p", strings.Repeat("x", 2000))
		time.Sleep(time.Minute)
		if _, code := slow.Closed(); code != protocol.CloseAbnormal {
			t.Errorf("closed with %d", code)
		}
		short.Silent()
		if _, err := h.Disconnect(t.Context(), "short"); err != nil {
			t.Fatal(err)
		}
		if goodbye, code := short.Closed(); code != protocol.CloseForbidden || goodbye.Code != code {
			t.Errorf("closed with %d after goodbye %+v", code, goodbye)
		}
	})
}

// failing is a testing.TB that keeps its first failure. Like the real one, it ends the goroutine.
type failing struct {
	testing.TB
	failure string
}

func (f *failing) Helper() {}

func (f *failing) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failureOf returns the failure that a use of a member reports, or "".
func failureOf(t *testing.T, m *roomtest.Member, use func(*roomtest.Member)) string {
	f := &failing{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		use(m.In(f))
	}()
	<-done
	return f.failure
}

// TestFailures calls each method in a case where it must fail the test, and names what came before.
func TestFailures(t *testing.T) {
	nothing := func(*room.Hub, *roomtest.Member) {}
	event := func(h *room.Hub, _ *roomtest.Member) {
		_, _ = h.BroadcastTaskUpdated(context.Background(), "p", "Milk", room.Mutation("m-1"))
	}
	receipt := func(h *room.Hub, _ *roomtest.Member) {
		_, _ = h.BroadcastTaskUpdated(context.Background(), "p", "Milk", room.ExceptUser("ann"), room.Mutation("m-1"))
	}
	cases := []struct {
		name   string
		before func(*room.Hub, *roomtest.Member)
		use    func(*roomtest.Member)
		want   string
	}{
		{"nothing comes", nothing, func(m *roomtest.Member) { m.Next() }, "ann/tab1: no message came, want a message; the last messages were:\n\tpong"},
		{"the end", func(_ *room.Hub, m *roomtest.Member) { m.Cut() }, func(m *roomtest.Member) { m.Next() }, "the connection has ended"},
		{"no silence", event, func(m *roomtest.Member) { m.Silent() }, `unexpected task-updated: {"task":"Milk"}`},
		{"never silent", func(_ *room.Hub, m *roomtest.Member) { m.Stall() }, nil, ""},
		{"another type", event, func(m *roomtest.Member) { m.WantEvent(protocol.TypeTaskDeleted, nil) }, "want task-deleted"},
		{"other data", event, func(m *roomtest.Member) { m.WantEvent(protocol.TypeTaskUpdated, new(int)) }, "data of task-updated"},
		{"another mutation", receipt, func(m *roomtest.Member) { m.WantReceipt("m-2") }, `receipt for mutation "m-1", want "m-2"`},
		{"an event for a receipt", event, func(m *roomtest.Member) { m.WantReceipt("m-1") }, "want receipt"},
		{"an event for an error", event, func(m *roomtest.Member) { m.Refused(protocol.ErrorForbidden) }, "seq 1 after 0"},
		{"another error", func(_ *room.Hub, m *roomtest.Member) { m.Send(`{"type":"nonsense"}`) },
			func(m *roomtest.Member) { m.Refused(protocol.ErrorForbidden) }, `want code "forbidden"`},
		{"a refused join", nothing, func(m *roomtest.Member) { m.Join("secret", nil) }, `"code":"forbidden"`},
		{"still open", nothing, func(m *roomtest.Member) { m.Closed() }, "the connection was not closed"},
		{"a bad request", nothing, func(m *roomtest.Member) {
			m.Request(protocol.Request{Type: protocol.TypeUpdatePresence, State: []byte("{")})
		}, "request update-presence"},
		{"a bad state", nothing, func(m *roomtest.Member) { m.SetPresence("p", func() {}) }, "presence state"},
		{"a gap", func(_ *room.Hub, m *roomtest.Member) {
			_, _ = m.Sink().TryWrite([]byte(`{"type":"task-updated","planId":"p","data":{},"seq":9,"prev":8}` + "\n"))
		}, func(m *roomtest.Member) { m.Next() }, "event 9 follows 8, but the last position was 0"},
		{"a resync without a position", func(_ *room.Hub, m *roomtest.Member) {
			_, _ = m.Sink().TryWrite([]byte(`{"type":"resync","planId":"p","data":{}}` + "\n"))
		}, func(m *roomtest.Member) { m.Next() }, "resync without a position"},
		{"not a message", func(_ *room.Hub, m *roomtest.Member) { _, _ = m.Sink().TryWrite([]byte("{\n")) },
			func(m *roomtest.Member) { m.Next() }, `message "{"`},
		{"a closed hub", func(h *room.Hub, _ *roomtest.Member) { _ = h.Shutdown(context.Background()) },
			func(m *roomtest.Member) { m.Silent() }, "unexpected goodbye"},
		{"resume without a hub", func(h *room.Hub, _ *roomtest.Member) { _ = h.Shutdown(context.Background()) },
			func(m *roomtest.Member) { m.Resume() }, "reconnect"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := roomtest.Join(t, h, "ann", "p", &roomtest.Options{ClientID: "tab1"})
				synctest.Wait() // no write is in progress
				c.before(h, m)
				if c.use == nil { // behind, and stalled
					event(h, m)
					c.use, c.want = func(m *roomtest.Member) { m.Silent() }, `want the events of "p" from 0 to 1`
				}
				if got := failureOf(t, m, c.use); got == "" || !strings.Contains(got, c.want) {
					t.Errorf("failure %q, want one with %q", got, c.want)
				}
			})
		})
	}
	t.Run("connect", func(t *testing.T) {
		f := &failing{TB: t}
		done := make(chan struct{})
		go func() { defer close(done); roomtest.Connect(f, newHub(t, nil), auth.Identity{}, nil) }()
		<-done
		if !strings.Contains(f.failure, `connect ""`) {
			t.Errorf("failure %q", f.failure)
		}
	})
}

// A failure in a subtest belongs to the subtest, and a later failure to the test again.
func TestIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := roomtest.Join(t, newHub(t, nil), "ann", "p")
		outer := &failing{TB: t}
		m.In(outer)
		inner := &inner{failing: failing{TB: t}}
		m.In(inner)
		inner.cleanup()
		done := make(chan struct{})
		go func() { defer close(done); m.Join("secret", nil) }()
		<-done
		if outer.failure == "" || inner.failure != "" {
			t.Errorf("outer %q, inner %q", outer.failure, inner.failure)
		}
	})
}

// inner is the testing.TB of a subtest that ends when the test says so.
type inner struct {
	failing
	cleanup func()
}

func (i *inner) Cleanup(f func()) { i.cleanup = f }

// TestReceiptThatTheMemberHas shuts down a node of a cluster. The receipt of the shutdown has the
// position that the member has joined at.
func TestReceiptThatTheMemberHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, &room.Options{Engine: enginetest.NewMemory(nil).Engine(), Cluster: "test"})
		for h.Ready() != nil {
			time.Sleep(time.Second)
		}
		alice := roomtest.Join(t, h, "alice", "p")
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if m := alice.WantEvent(protocol.TypeReceipt, nil); m.Seq != alice.Joined.Position.Seq {
			t.Errorf("a receipt with seq %d, want that of the join, %d", m.Seq, alice.Joined.Position.Seq)
		}
		alice.WantEvent(protocol.TypeGoodbye, nil)
	})
}
