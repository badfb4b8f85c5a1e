package room_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// diary records the calls of an Observer, and panics where the test says so.
type diary struct {
	mu    sync.Mutex // guards the following
	lines []string
	panic string // the function that panics, and for whom: "join alice"
}

func (d *diary) write(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	d.mu.Lock()
	d.lines = append(d.lines, line)
	p := d.panic
	d.mu.Unlock()
	if p != "" && strings.HasPrefix(line, p) {
		panic("an observer that fails")
	}
}

func (d *diary) observer() room.Observer {
	return room.Observer{
		Connect:    func(c room.ConnectionInfo) { d.write("connect %s", c.UserID) },
		Disconnect: func(i room.DisconnectInfo) { d.write("disconnect %s %d", i.Connection.UserID, i.Code) },
		Join:       func(i room.JoinInfo) { d.write("join %s %s %v", i.Connection.UserID, i.PlanID, i.Recovered) },
		Leave:      func(i room.LeaveInfo) { d.write("leave %s %s", i.Connection.UserID, i.PlanID) },
		Broadcast: func(_ context.Context, i room.BroadcastInfo) {
			d.write("broadcast %s %s %d", i.PlanID, i.Type, i.Recipients)
		},
		Resync: func(i room.ResyncInfo) { d.write("resync %s %s", i.Connection.UserID, i.PlanID) },
		Slow:   func(c room.ConnectionInfo) { d.write("slow %s", c.UserID) },
		Denied: func(i room.DenialInfo) { d.write("denied %s %s %v", i.Connection.UserID, i.PlanID, i.Err) },
	}
}

func (d *diary) read() []string {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := d.lines
	d.lines = nil
	return lines
}

func (d *diary) want(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, d.read()); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

func TestObserver(t *testing.T) {
	d := &diary{}
	g := &authorizer{}
	bubble(t, &room.Options{Observer: d.observer(), Authorize: g.authorize, HistoryEvents: 2}, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		d.want(t, "connect alice")
		m.Join("p", nil)
		d.want(t, "join alice p false")
		update(t, h, "p", 1)
		wantEvent(t, m, 1)
		d.want(t, "broadcast p task-updated 1")
		m.Cut()
		d.want(t, "leave alice p", "disconnect alice 1006")
		m.Resume()
		d.want(t, "connect alice", "join alice p true")
		m.Join("p", nil)
		d.want(t)
		m.Send(`{"type":"leave-plan","planId":"p"}`)
		d.want(t, "leave alice p")
		g.answer(room.ErrForbidden)
		m.Send(`{"type":"join-plan","planId":"q"}`)
		d.want(t, "denied alice q room: forbidden")
		g.answer(errOutage)
		m.Send(`{"type":"join-plan","planId":"q"}`)
		d.want(t, "denied alice q the database is down")
		closeByPeer(m, protocol.CloseGoingAway)
		d.want(t, "disconnect alice 1001")

		g.answer(nil)
		m = roomtest.Connect(t, h, auth.Identity{UserID: "bob"}, &roomtest.Options{SocketBuffer: 10})
		m.Join("p", nil)
		m.Stall()
		d.read()
		update(t, h, "p", 1)
		// Two goroutines call the Observer.
		if diff := cmp.Diff([]string{"broadcast p task-updated 1", "slow bob"}, slices.Sorted(slices.Values(d.read()))); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		if err := h.Resync(t.Context(), "p"); err != nil {
			t.Fatalf("Resync: %v", err)
		}
		m.Unstall()
		d.want(t, "resync bob p")
		if _, err := h.Disconnect(t.Context(), "bob"); err != nil {
			t.Fatalf("Disconnect: %v", err)
		}
		d.want(t, "leave bob p", "disconnect bob 4403")
	})
}

func TestConnectionInfo(t *testing.T) {
	var got room.ConnectionInfo
	opts := &room.Options{Observer: room.Observer{Connect: func(c room.ConnectionInfo) { got = c }}}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "tab1")
		want := room.ConnectionInfo{ID: m.Hello.ConnectionID, ClientID: "tab1", UserID: "alice", RemoteAddr: "memory", ConnectedAt: time.Now()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("observed (-want +got):\n%s", diff)
		}
		s := m.Session()
		if s.ClientID() != "tab1" || s.UserID() != "alice" || s.Identity().Name != "alice" {
			t.Errorf("session %q of %q, %+v", s.ClientID(), s.UserID(), s.Identity())
		}
	})
}

// However a connection ends, each Join is followed by one Leave.
func TestObserverJoinAndLeave(t *testing.T) {
	ends := map[string]func(t *testing.T, h *room.Hub, m *roomtest.Member){
		"cut":      func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Cut() },
		"close":    func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Session().Close(protocol.CloseInternal) },
		"revoke":   func(t *testing.T, h *room.Hub, _ *roomtest.Member) { revoke(t, h, "p", "alice") },
		"replace":  func(t *testing.T, h *room.Hub, _ *roomtest.Member) { connect(t, h, "alice", "tab") },
		"time-out": func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Stall(); time.Sleep(time.Minute) },
		"shutdown": func(_ *testing.T, h *room.Hub, _ *roomtest.Member) { _, _ = shutdown(h, time.Second) },
		"all at once": func(t *testing.T, h *room.Hub, m *roomtest.Member) {
			go m.Cut()
			go func() { _, _ = h.Revoke(context.Background(), "p", "alice") }()
			go m.Session().Close(protocol.CloseInternal)
		},
		"with a panic": func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Cut() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			d := &diary{}
			bubble(t, &room.Options{Observer: d.observer()}, func(t *testing.T, h *room.Hub) {
				if name == "with a panic" {
					d.panic = "leave alice p"
				}
				m := connect(t, h, "alice", "tab")
				m.Join("p", nil)
				m.Join("q", nil)
				m.Join("p", nil)
				end(t, h, m)
				synctest.Wait()
				_, _ = shutdown(h, time.Second)
				var got []string
				for _, line := range d.read() {
					if strings.HasSuffix(line, " p false") || strings.HasSuffix(line, " p") {
						got = append(got, line)
					}
				}
				if diff := cmp.Diff([]string{"join alice p false", "leave alice p"}, got); diff != "" {
					t.Errorf("observed of p (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A panic in an observer ends only its connection, with the usual calls.
func TestObserverPanics(t *testing.T) {
	tests := []struct {
		panic string
		ends  bool
		want  []string
	}{
		{"connect alice", true, []string{"connect alice", "disconnect alice 4500"}},
		{"join alice", true, []string{"connect alice", "join alice p false", "leave alice p", "disconnect alice 4500"}},
		{"leave alice", true, []string{"connect alice", "join alice p false", "leave alice p", "disconnect alice 4500"}},
		{"denied alice", true, []string{"connect alice", "denied alice q room: forbidden", "disconnect alice 4500"}},
		{"disconnect alice", true, []string{"connect alice", "join alice p false", "leave alice p", "disconnect alice 1006"}},
		{"broadcast p", false, []string{"connect alice", "join alice p false", "broadcast p task-updated 2"}},
	}
	for _, test := range tests {
		t.Run(test.panic, func(t *testing.T) {
			d := &diary{panic: test.panic}
			opts := &room.Options{Observer: d.observer(), Authorize: func(_ context.Context, _ auth.Identity, plan string) error {
				if plan == "q" {
					return room.ErrForbidden
				}
				return nil
			}}
			bubble(t, opts, func(t *testing.T, h *room.Hub) {
				bob := roomtest.Join(t, h, "bob", "p")
				d.read()
				p := openPipe(t, h, "alice", -1)
				switch test.panic {
				case "denied alice":
					p.send(`{"type":"join-plan","planId":"q"}`)
				default:
					p.send(`{"type":"join-plan","planId":"p"}`)
				}
				synctest.Wait()
				switch test.panic {
				case "leave alice":
					p.send(`{"type":"leave-plan","planId":"p"}`)
				case "disconnect alice":
					_ = p.Close()
				case "broadcast p":
					update(t, h, "p", 1)
				}
				synctest.Wait()
				d.want(t, test.want...)
				want := 2
				if test.ends {
					want = 1
				}
				wantConnections(t, h, want)
				d.mu.Lock()
				d.panic = ""
				d.mu.Unlock()
				update(t, h, "p", 7)
				if got := unread(t, bob); len(got) == 0 || string(got[len(got)-1].Data) != `{"task":{"id":7}}` {
					t.Errorf("the other one got %v", got)
				}
				_ = p.Close()
			})
		})
	}
}
