package room_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

func joined(plan, user string, count int) string {
	return fmt.Sprintf(`join-plan %s {"userId":%q,"userName":%[2]q,"participantCount":%d}`, plan, user, count)
}

func left(plan, user string, count int) string {
	return fmt.Sprintf(`leave-plan %s {"userId":%q,"participantCount":%d}`, plan, user, count)
}

func shows(plan, user, state string) string {
	return fmt.Sprintf(`presence-updated %s {"userId":%q,"state":%s}`, plan, user, state)
}

func setState(m *roomtest.Member, plan, state string) {
	m.Send(fmt.Sprintf(`{"type":"update-presence","planId":%q,"data":{"state":%s}}`, plan, state))
	synctest.Wait()
}

// A user with several connections is one participant: the second one causes no notice.
func TestSecondConnection(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		tab1 := of.join(t, h, "alice", "p")
		wantHeard(t, bob, joined("p", "alice", 2))
		tab2 := of.join(t, h, "alice", "p")
		if tab2.Joined.ParticipantCount != 2 || tab2.Joined.Participants[1].Connections != 2 {
			t.Errorf("join answer %+v, want 2 people, alice with 2 connections", tab2.Joined)
		}
		if n := h.UserConnections("alice"); n != 2 {
			t.Errorf("UserConnections = %d, want 2", n)
		}
		tab1.Send(`{"type":"leave-plan","planId":"p"}`)
		wantHeard(t, tab1, `leave-plan p {"success":true}`)
		wantHeard(t, tab2)
		wantHeard(t, bob)
		update(t, h, "p", 1)
		wantEvent(t, tab2, 1)
		wantEvent(t, bob, 1)
		wantHeard(t, tab1)
		tab2.Send(`{"type":"leave-plan","planId":"p"}`)
		wantHeard(t, tab2, `leave-plan p {"success":true}`)
		wantHeard(t, bob, left("p", "alice", 1))
	})
}

// A connection that ends may be a reload: the hub sends the leave after 5 s, unless the user left
// or was removed.
func TestLinger(t *testing.T) {
	const none = -1
	tests := []struct {
		name string
		end  func(t *testing.T, h *room.Hub, alice *roomtest.Member)
		told time.Duration // after the end
	}{
		{"cut", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) { m.Cut() }, 5 * time.Second},
		{"closed by the peer", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			closeByPeer(m, protocol.CloseGoingAway)
		}, 5 * time.Second},
		{"closed after a fault", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseInternal)
		}, 5 * time.Second},
		{"replaced and then cut", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			connect(t, h, "alice", "tab").Cut()
		}, 5 * time.Second},
		{"back in time", func(t *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Cut()
			time.Sleep(5*time.Second - 1)
			m.Resume()
		}, none},
		{"left", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
		}, 0},
		{"revoked", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
				t.Fatalf("Revoke: %v", err)
			}
		}, 0},
		{"revoked while lingering", func(t *testing.T, h *room.Hub, m *roomtest.Member) {
			m.Cut()
			if _, err := h.Revoke(t.Context(), "p", "alice"); err != nil {
				t.Fatalf("Revoke: %v", err)
			}
		}, 0},
		{"disconnected", func(t *testing.T, h *room.Hub, _ *roomtest.Member) {
			if _, err := h.Disconnect(t.Context(), "alice"); err != nil {
				t.Fatalf("Disconnect: %v", err)
			}
		}, 0},
		{"expired", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseUnauthorized)
		}, 0},
		{"timed out", func(_ *testing.T, _ *room.Hub, m *roomtest.Member) {
			m.Session().Close(protocol.CloseTimeout)
		}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				bob := roomtest.Join(t, h, "bob", "p")
				alice := connect(t, h, "alice", "tab")
				alice.Join("p", nil)
				unread(t, bob)
				test.end(t, h, alice)
				synctest.Wait()
				if test.told > 0 {
					// Each wantHeard takes one of them.
					time.Sleep(test.told - 3*room.GatherNotices - 1)
					wantHeard(t, bob)
					info, _ := h.Room("p")
					if info.Participants != 2 || info.Connections != 1 || info.People[1].Connections != 0 {
						t.Errorf("room %+v, want alice in it without a connection", info)
					}
					if n := h.UserConnections("alice"); n != 0 {
						t.Errorf("UserConnections = %d: who lingers is not connected", n)
					}
					carol := connect(t, h, "carol", "")
					carol.Join("p", nil)
					if carol.Joined.ParticipantCount != 3 || carol.Joined.Participants[1].Connections != 0 {
						t.Errorf("join answer %+v, want 3 people, alice without a connection", carol.Joined)
					}
					wantHeard(t, bob, joined("p", "carol", 3))
					carol.Send(`{"type":"leave-plan","planId":"p"}`)
					wantHeard(t, bob, left("p", "carol", 2))
					time.Sleep(time.Nanosecond)
				}
				if test.told == none {
					time.Sleep(time.Minute)
					wantHeard(t, bob)
				} else {
					wantHeard(t, bob, left("p", "alice", 1))
				}
			})
		})
	}
}

// Only the last connection of a user lingers.
func TestLingerOfOneOfTwoTabs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		unread(t, bob)
		tab1.Cut()
		time.Sleep(time.Minute)
		wantHeard(t, bob)
		tab2.Cut()
		time.Sleep(5 * time.Second)
		wantHeard(t, bob, left("p", "alice", 1))
	})
}

// A newer connection of the same user and client id takes the place of the older one, and counts in
// its stead.
func TestReplacedConnection(t *testing.T) {
	eachSink(t, &room.Options{ConnectionsPerUser: 2}, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		of.connect(t, h, "alice", roomtest.Options{ClientID: "tab2"})
		older := of.connect(t, h, "alice", roomtest.Options{ClientID: "tab1"})
		older.Join("p", nil)
		// Another user's client id.
		other := of.connect(t, h, "bob", roomtest.Options{ClientID: "tab1"})
		unread(t, bob)

		newer := of.connect(t, h, "alice", roomtest.Options{ClientID: "tab1"})
		wantClosed(t, older, protocol.CloseReplaced)
		if n := h.UserConnections("alice"); n != 2 {
			t.Errorf("UserConnections = %d, want 2", n)
		}
		if _, err := h.Connect(t.Context(), auth.Identity{UserID: "alice"}, roomtest.NewSink(nil), nil); err != room.ErrTooManyConnections {
			t.Errorf("a third connection: %v, want ErrTooManyConnections", err)
		}
		newer.Join("p", nil)
		wantHeard(t, other)
		time.Sleep(time.Minute)
		wantHeard(t, bob)
		wantHeard(t, other)
		update(t, h, "p", 1)
		wantEvent(t, newer, 1)
	})
}

func TestPresenceStates(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		unread(t, bob)

		setState(tab1, "p", `{"on":1}`)
		wantHeard(t, tab1) // all but the sending connection
		wantHeard(t, tab2, shows("p", "alice", `{"on":1}`))
		wantHeard(t, bob, shows("p", "alice", `{"on":1}`))

		setState(tab2, "p", `2`)
		wantHeard(t, tab1, shows("p", "alice", `2`))
		wantHeard(t, bob, shows("p", "alice", `2`))

		carol := roomtest.Join(t, h, "carol", "p")
		if got := carol.Joined.Participants[1]; string(got.State) != "2" {
			t.Errorf("state in the join answer = %s, want the newest, 2", got.State)
		}
		if got := carol.Joined.Participants[0]; got.State != nil {
			t.Errorf("state of bob, who has none: %s", got.State)
		}
		unread(t, bob)
		unread(t, tab1)

		// An older one changes: the newest wins.
		setState(tab1, "p", `null`)
		wantHeard(t, bob)
		setState(tab1, "p", `3`)
		wantHeard(t, bob, shows("p", "alice", `3`))
		// Clearing the newest shows the one before it; clearing both, none.
		setState(tab1, "p", `null`)
		wantHeard(t, bob, shows("p", "alice", `2`))
		setState(tab2, "p", `null`)
		wantHeard(t, bob, shows("p", "alice", `null`))
		setState(tab2, "p", `null`)
		wantHeard(t, bob)

		// The connection whose state is shown ends: what stands is that of the other.
		setState(tab1, "p", `4`)
		setState(tab2, "p", `5`)
		wantHeard(t, bob, shows("p", "alice", `4`), shows("p", "alice", `5`))
		tab2.Cut()
		time.Sleep(5 * time.Second)
		wantHeard(t, bob, shows("p", "alice", `4`))
		tab1.Send(`{"type":"leave-plan","planId":"p"}`)
		wantHeard(t, bob, left("p", "alice", 2))
	})
}

// Of many connections with a state the newest that stands is shown.
func TestNewestState(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tabs := make([]*roomtest.Member, 10)
		for n := range tabs {
			tabs[n] = roomtest.Join(t, h, "alice", "p")
		}
		for n, m := range tabs {
			setState(m, "p", fmt.Sprint(n))
		}
		unread(t, bob)
		for n := len(tabs) - 1; n > 0; n-- {
			if n%2 == 0 {
				tabs[n].Cut()
				time.Sleep(5 * time.Second)
			} else {
				setState(tabs[n], "p", "null")
			}
			wantHeard(t, bob, shows("p", "alice", fmt.Sprint(n-1)))
		}
	})
}

// A reload of a page with a presence state is silent: the hub keeps the state for Options.Linger,
// and the page sets the same one again.
func TestStateOverAReload(t *testing.T) {
	type step func(t *testing.T, h *room.Hub, alice *roomtest.Member)
	cut := func(_ *testing.T, _ *room.Hub, alice *roomtest.Member) { alice.Cut() }
	replace := func(t *testing.T, h *room.Hub, _ *roomtest.Member) { connect(t, h, "alice", "tab") }
	set := func(state string) step {
		return func(_ *testing.T, _ *room.Hub, alice *roomtest.Member) { setState(alice, "p", state) }
	}
	tests := []struct {
		name  string
		tab2  string // the state of another tab; "" if there is none
		end   step
		after step
		want  []string // what the others receive in the second after the return
		late  []string // and when the state is not kept any more
	}{
		{name: "the same state", end: cut, after: set(`1`)},
		{name: "another state", end: cut, after: set(`2`), want: []string{shows("p", "alice", `2`)}},
		{name: "cleared", end: cut, after: set(`null`), want: []string{shows("p", "alice", `null`)}},
		{name: "no state", end: cut, late: []string{shows("p", "alice", `null`)}},
		{name: "replaced", end: replace, after: set(`1`)},
		{name: "one of two tabs", tab2: `0`, end: cut, after: set(`1`)},
		{name: "one of two tabs, without a state", tab2: `0`, end: cut, late: []string{shows("p", "alice", `0`)}},
		{name: "one of two tabs, cleared", tab2: `0`, end: cut, after: set(`null`), want: []string{shows("p", "alice", `0`)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				bob, alice := roomtest.Join(t, h, "bob", "p"), connect(t, h, "alice", "tab")
				if test.tab2 != "" {
					setState(roomtest.Join(t, h, "alice", "p"), "p", test.tab2)
				}
				alice.Join("p", nil)
				setState(alice, "p", `1`)
				unread(t, bob)
				test.end(t, h, alice)
				time.Sleep(3 * time.Second)
				wantHeard(t, bob)
				if info, _ := h.Room("p"); string(info.People[1].State) != "1" {
					t.Errorf("state during the reload = %s, want 1", info.People[1].State)
				}
				alice = connect(t, h, "alice", "tab")
				alice.Join("p", nil)
				if test.after != nil {
					test.after(t, h, alice)
				}
				time.Sleep(time.Second)
				wantHeard(t, bob, test.want...)
				time.Sleep(time.Second)
				wantHeard(t, bob, test.late...)
				time.Sleep(time.Minute)
				wantHeard(t, bob)
			})
		})
	}
}

// While one tab of a user reloads, what another one does to its own state does not take away the
// state of the first, unless it sets a newer one.
func TestStateOfATabDuringTheReloadOfAnother(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		setState(tab1, "p", `1`)
		setState(tab2, "p", `2`)
		unread(t, bob)
		tab2.Cut()
		setState(tab1, "p", `null`)
		wantHeard(t, bob)
		tab2.Resume()
		setState(tab2, "p", `2`)
		wantHeard(t, bob)

		tab2.Cut()
		setState(tab1, "p", `3`)
		wantHeard(t, bob, shows("p", "alice", `3`))
		setState(tab1, "p", `null`)
		wantHeard(t, bob, shows("p", "alice", `null`))
	})
}

// State is of one plan.
func TestStateIsOfOnePlan(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		alice.Join("p", nil)
		alice.Join("q", nil)
		bob := roomtest.Join(t, h, "bob", "q")
		unread(t, alice)
		setState(alice, "p", `1`)
		wantHeard(t, bob)
		if info, _ := h.Room("q"); info.People[0].State != nil {
			t.Errorf("state in q = %s, want none", info.People[0].State)
		}
	})
}

func TestPresenceKeepsTheOrderOfEvents(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob, carol := of.join(t, h, "bob", "p"), of.join(t, h, "carol", "p")
		unread(t, bob)
		var want []string
		for n := range 10 {
			update(t, h, "p", n)
			user := fmt.Sprint("user", n)
			m := of.join(t, h, user, "p")
			setState(m, "p", fmt.Sprint(n))
			want = append(want, fmt.Sprintf(`task-updated p {"task":{"id":%d}}`, n), joined("p", user, 3+n), shows("p", user, fmt.Sprint(n)))
		}
		wantHeard(t, bob, want...)
		wantHeard(t, carol, want...)
	})
}

// Above PresenceLimit the hub sends only counts, at most one a second. When the room is not crowded
// any more, it sends a notice for each user.
func TestCrowdedRoom(t *testing.T) {
	bubble(t, &room.Options{PresenceLimit: 3}, func(t *testing.T, h *room.Hub) {
		count := func(n int) string { return fmt.Sprintf(`join-plan p {"participantCount":%d}`, n) }
		m := make([]*roomtest.Member, 10)
		for i := range 3 {
			m[i] = roomtest.Join(t, h, fmt.Sprint("user", i), "p")
		}
		wantHeard(t, m[0], joined("p", "user1", 2), joined("p", "user2", 3))
		setState(m[1], "p", `1`)
		wantHeard(t, m[0], shows("p", "user1", "1"))

		for i := 3; i < 8; i++ {
			m[i] = roomtest.Join(t, h, fmt.Sprint("user", i), "p")
			if got := m[i].Joined; got.ParticipantCount != i+1 || len(got.Participants) != 3 {
				t.Errorf("join answer of user %d: %+v, want the first 3 people and the true count", i, got)
			} else if got.Participants[2].UserID != fmt.Sprint("user", i) {
				t.Errorf("join answer of user %d lacks the joiner: %+v", i, got.Participants)
			}
		}
		setState(m[1], "p", `2`)
		time.Sleep(time.Second - 1)
		wantNow(t, m[0])
		time.Sleep(time.Nanosecond)
		wantHeard(t, m[0], count(8))
		wantHeard(t, m[7], count(8)) // the count is for all members
		time.Sleep(time.Minute)
		wantHeard(t, m[0]) // nothing has changed

		// One change every 100 ms for ten seconds: at most one count a second.
		more := make([]*roomtest.Member, 100)
		for i := range more {
			more[i] = roomtest.Join(t, h, fmt.Sprint("more", i), "p")
			time.Sleep(100 * time.Millisecond)
		}
		for _, m := range more {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
		}
		time.Sleep(time.Second)
		got := heardBy(t, m[0])
		if len(got) < 9 || len(got) > 12 || got[len(got)-1] != count(8) {
			t.Errorf("received %d counts in 11 s: %q, want one a second, the last of them 8", len(got), got)
		}

		for i := 7; i >= 3; i-- {
			m[i].Send(`{"type":"leave-plan","planId":"p"}`)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantNow(t, m[0], count(3))
		// The room has been within the limit for 9.9 s.
		time.Sleep(8*time.Second + 900*time.Millisecond)
		wantNow(t, m[0])
		time.Sleep(100 * time.Millisecond)
		wantHeard(t, m[0], count(3), joined("p", "user1", 3), shows("p", "user1", "2"), joined("p", "user2", 3))
		m[2].Send(`{"type":"leave-plan","planId":"p"}`)
		wantHeard(t, m[0], left("p", "user2", 2))
	})
}

// fold is what a client makes of the presence notices that it receives.
func fold(t *testing.T, people map[string]string, msgs []protocol.Message) {
	t.Helper()
	for _, msg := range msgs {
		var data struct {
			UserID           string          `json:"userId"`
			State            json.RawMessage `json:"state"`
			ParticipantCount int             `json:"participantCount"`
		}
		mustDecode(t, msg, &data)
		switch msg.Type {
		case protocol.TypeJoinPlan:
			people[data.UserID] = ""
		case protocol.TypeLeavePlan:
			delete(people, data.UserID)
		case protocol.TypePresenceUpdated:
			people[data.UserID] = strings.TrimPrefix(string(data.State), "null")
		}
	}
}

// Notices that a newer one of the same user has made void are dropped while a member lags; it ends
// with the truth all the same.
func TestLaggingMemberEndsWithTheTruth(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		slow := roomtest.Connect(t, h, auth.Identity{UserID: "slow", Name: "slow"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 10})
		slow.Join("p", nil)
		slow.Stall()
		stay := of.join(t, h, "stay", "p")
		gone := of.join(t, h, "gone", "p")
		for n := range 50 {
			setState(stay, "p", fmt.Sprint(n))
			setState(gone, "p", fmt.Sprint(n))
			time.Sleep(100 * time.Millisecond)
		}
		gone.Send(`{"type":"leave-plan","planId":"p"}`)
		back := of.join(t, h, "back", "p")
		setState(back, "p", `1`)
		back.Send(`{"type":"leave-plan","planId":"p"}`)
		synctest.Wait()
		back.Join("p", nil)
		setState(stay, "p", `"last"`)
		update(t, h, "p", 1)

		slow.Unstall()
		people := map[string]string{"slow": ""}
		msgs := unread(t, slow)
		if len(msgs) > 10 {
			t.Errorf("heard %d messages: superseded ones were not dropped", len(msgs))
		}
		events := 0
		for i, msg := range msgs {
			if msg.Seq > 0 {
				events++
				msgs = append(msgs[:i:i], msgs[i+1:]...)
			}
		}
		fold(t, people, msgs)
		if diff := cmp.Diff(map[string]string{"slow": "", "stay": `"last"`, "back": ""}, people); diff != "" || events != 1 {
			t.Errorf("%d events, people (-want +got):\n%s", events, diff)
		}
	})
}

// Whatever happens while members lag, each from another moment on, they end with the truth and have
// missed no event.
func TestLaggingMembersAtRandom(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				random := rand.New(rand.NewPCG(seed, 1))
				users := make([]*roomtest.Member, 12)
				for n := range users {
					users[n] = connect(t, h, fmt.Sprint("user", n), "")
				}
				type watcher struct {
					m      *roomtest.Member
					people map[string]string
					events int
				}
				var watchers []*watcher
				truth := make(map[string]string)
				events := 0
				for op := range 600 {
					if op%100 == 0 {
						w := &watcher{people: make(map[string]string), events: events}
						name := fmt.Sprint("watcher", op)
						w.m = roomtest.Connect(t, h, auth.Identity{UserID: name, Name: name}, &roomtest.Options{SocketBuffer: 10 * op})
						w.m.Join("p", nil)
						for _, p := range w.m.Joined.Participants {
							w.people[p.UserID] = string(p.State)
						}
						w.m.Stall()
						truth[name] = ""
						watchers = append(watchers, w)
					}
					m := users[random.IntN(len(users))]
					name := m.Session().UserID()
					state, in := truth[name]
					switch random.IntN(6) {
					case 0:
						update(t, h, "p", op)
						events++
					case 1, 2:
						m.Send(`{"type":"leave-plan","planId":"p"}`)
						delete(truth, name)
					case 3:
						m.Send(`{"type":"join-plan","planId":"p"}`)
						truth[name] = state
					default:
						state = fmt.Sprint(op)
						if random.IntN(4) == 0 {
							state = ""
						}
						if in {
							truth[name] = state
						}
						if state == "" {
							state = "null"
						}
						m.Send(fmt.Sprintf(`{"type":"update-presence","planId":"p","data":{"state":%s}}`, state))
					}
					synctest.Wait()
				}
				for _, w := range watchers {
					w.m.Unstall()
					var notices []protocol.Message
					for _, msg := range unread(t, w.m) {
						if msg.Seq > 0 {
							w.events++
						} else {
							notices = append(notices, msg)
						}
					}
					fold(t, w.people, notices)
					if diff := cmp.Diff(truth, w.people); diff != "" || w.events != events {
						t.Errorf("%s heard of %d events, want %d; people (-want +got):\n%s", w.m.Session().UserID(), w.events, events, diff)
					}
				}
			})
		})
	}
}

// visit has a user come and go; the leave is one more notice that waits for members that lag.
func visit(t *testing.T, h *room.Hub, user string) {
	t.Helper()
	m := roomtest.Join(t, h, user, "p")
	m.Send(`{"type":"leave-plan","planId":"p"}`)
	synctest.Wait()
	m.Cut()
}

// Who lagged once and has caught up since holds nothing up.
func TestCaughtUpMemberHoldsUpNothing(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(10)
		update(t, h, "p", 1)
		visit(t, h, "bob")
		p.open(-1)
		p.read()
		for n := range 1100 {
			visit(t, h, fmt.Sprint("user", n))
		}
		if finished, closed := p.state(); finished || closed || h.Stats().TooSlow != 0 {
			t.Error("a member that reads everything was closed")
		}
	})
}

// A member that holds up more notices than may wait is closed, and no other is.
func TestTooManyNoticesWait(t *testing.T) {
	const limit = 1024 + 3*100 // three for each user of PresenceLimit
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		fast := roomtest.Join(t, h, "fast", "p")
		slow := openPipe(t, h, "slow", -1)
		slow.send(`{"type":"join-plan","planId":"p"}`)
		gathered()
		slow.read()
		slow.open(0)
		for n := range limit {
			visit(t, h, fmt.Sprint("user", n))
		}
		gathered()
		if _, closed := slow.state(); closed || h.Stats().TooSlow != 0 {
			t.Fatalf("closed with %d notices waiting", limit)
		}
		visit(t, h, "one more")
		gathered()
		if got := h.Stats().TooSlow; got != 1 {
			t.Errorf("TooSlow = %d, want 1", got)
		}
		leaves := 0
		for _, msg := range unread(t, fast) {
			if msg.Type == protocol.TypeLeavePlan {
				leaves++
			}
		}
		if leaves != limit+1 {
			t.Errorf("the other member received %d leaves, want %d", leaves, limit+1)
		}
	})
}
