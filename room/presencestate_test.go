package room_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func shows(plan, user, state string) string {
	return fmt.Sprintf(`presence-updated %s {"userId":%q,"state":%s}`, plan, user, state)
}

func setState(m *roomtest.Member, plan, state string) {
	m.Send(fmt.Sprintf(`{"type":"update-presence","planId":%q,"data":{"state":%s}}`, plan, state))
	synctest.Wait()
}

func TestPresenceStates(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		unread(t, bob)

		setState(tab1, "p", `{"on":1}`)
		wantReceived(t, tab1) // all but the sending connection
		wantReceived(t, tab2, shows("p", "alice", `{"on":1}`))
		wantReceived(t, bob, shows("p", "alice", `{"on":1}`))

		setState(tab2, "p", `2`)
		wantReceived(t, tab1, shows("p", "alice", `2`))
		wantReceived(t, bob, shows("p", "alice", `2`))

		carol := roomtest.Join(t, h, "carol", "p")
		if got := carol.Joined.Participants[1]; string(got.State) != "2" {
			t.Errorf("state in the join answer = %s, want the newest, 2", got.State)
		}
		if got := carol.Joined.Participants[0]; got.State != nil {
			t.Errorf("bob has the state %s, want none", got.State)
		}
		unread(t, bob)
		unread(t, tab1)

		// An older state changes: the newest is shown.
		setState(tab1, "p", `null`)
		wantReceived(t, bob)
		setState(tab1, "p", `3`)
		wantReceived(t, bob, shows("p", "alice", `3`))
		// Clearing the newest shows the previous one, and clearing both shows none.
		setState(tab1, "p", `null`)
		wantReceived(t, bob, shows("p", "alice", `2`))
		setState(tab2, "p", `null`)
		wantReceived(t, bob, shows("p", "alice", `null`))
		setState(tab2, "p", `null`)
		wantReceived(t, bob)

		// The connection whose state is shown ends: the state of the other is shown.
		setState(tab1, "p", `4`)
		setState(tab2, "p", `5`)
		wantReceived(t, bob, shows("p", "alice", `4`), shows("p", "alice", `5`))
		tab2.Cut()
		time.Sleep(5 * time.Second)
		wantReceived(t, bob, shows("p", "alice", `4`))
		tab1.Send(`{"type":"leave-plan","planId":"p"}`)
		wantReceived(t, bob, left("p", "alice", 2))
	})
}

// Of many connections with a state, the newest state is shown.
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
			wantReceived(t, bob, shows("p", "alice", fmt.Sprint(n-1)))
		}
	})
}

// A reload of a page with a presence state causes no notice: the hub keeps the state for
// Options.Linger, and the page sets the same one again.
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
				wantReceived(t, bob)
				if info, _ := h.Room("p"); string(info.People[1].State) != "1" {
					t.Errorf("state during the reload = %s, want 1", info.People[1].State)
				}
				alice = connect(t, h, "alice", "tab")
				alice.Join("p", nil)
				if test.after != nil {
					test.after(t, h, alice)
				}
				time.Sleep(time.Second)
				wantReceived(t, bob, test.want...)
				time.Sleep(time.Second)
				wantReceived(t, bob, test.late...)
				time.Sleep(time.Minute)
				wantReceived(t, bob)
			})
		})
	}
}

// While one tab of a user reloads, another tab does not remove the state of the first, unless it
// sets a newer one.
func TestStateOfATabDuringTheReloadOfAnother(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		tab1, tab2 := roomtest.Join(t, h, "alice", "p"), roomtest.Join(t, h, "alice", "p")
		setState(tab1, "p", `1`)
		setState(tab2, "p", `2`)
		unread(t, bob)
		tab2.Cut()
		setState(tab1, "p", `null`)
		wantReceived(t, bob)
		tab2.Resume()
		setState(tab2, "p", `2`)
		wantReceived(t, bob)

		tab2.Cut()
		setState(tab1, "p", `3`)
		wantReceived(t, bob, shows("p", "alice", `3`))
		setState(tab1, "p", `null`)
		wantReceived(t, bob, shows("p", "alice", `null`))
	})
}

// A state belongs to one plan.
func TestStateIsOfOnePlan(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		alice := connect(t, h, "alice", "")
		alice.Join("p", nil)
		alice.Join("q", nil)
		bob := roomtest.Join(t, h, "bob", "q")
		unread(t, alice)
		setState(alice, "p", `1`)
		wantReceived(t, bob)
		if info, _ := h.Room("q"); info.People[0].State != nil {
			t.Errorf("state in q = %s, want none", info.People[0].State)
		}
	})
}

// A connection that clears a state which another connection of the user had set also receives the
// notice, because it cannot know whether that state remains.
func TestClearingTheStateOfAnotherConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		old := roomtest.Join(t, h, "alice", "p")
		setState(old, "p", `1`)
		old.Cut()
		synctest.Wait()
		page := roomtest.Join(t, h, "alice", "p")
		if got := page.Joined.Participants[0]; string(got.State) != "1" {
			t.Fatalf("state in the join answer = %s, want 1", got.State)
		}
		setState(page, "p", `null`) // it is the page that has been reloaded
		wantReceived(t, page, shows("p", "alice", `null`))
		setState(page, "p", `2`)
		setState(page, "p", `null`)
		wantReceived(t, page)
	})
}
