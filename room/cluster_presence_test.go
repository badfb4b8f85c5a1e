package room_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/roomtest"
)

// shared waits until the nodes have exchanged the changes of their participants, if no message is
// lost.
func shared() {
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
}

// people returns the participants of a plan on a node, with their connections and states.
func people(n *node, plan string) string {
	info, _ := n.Room(plan)
	list := make([]string, len(info.People))
	for i, p := range info.People {
		list[i] = fmt.Sprintf("%s:%d%s", p.UserID, p.Connections, p.State)
	}
	if info.Participants != len(list) {
		list = append(list, fmt.Sprintf("Participants is %d", info.Participants))
	}
	return strings.Join(list, " ")
}

// wantPeople fails the test unless all nodes show these participants of plan p.
func wantPeople(t *testing.T, nodes []*node, want string) {
	t.Helper()
	shared()
	for i, n := range nodes {
		if got := people(n, "p"); got != want {
			t.Errorf("node %d shows %q, want %q", i+1, got, want)
		}
	}
}

// presenceNotices returns the notices that m has received since the last call.
func presenceNotices(t *testing.T, m *roomtest.Member) (list []string) {
	t.Helper()
	for _, msg := range unread(t, m) {
		list = append(list, words(msg))
	}
	return list
}

func wantNotices(t *testing.T, m *roomtest.Member, want ...string) {
	t.Helper()
	got := presenceNotices(t, m)
	if len(got) != len(want) {
		t.Fatalf("got the notices %q, want %q", got, want)
	}
	for i, w := range want {
		if !contains(got[i], w) {
			t.Errorf("notice %d is %q, want %q in it", i+1, got[i], w)
		}
	}
}

// contains reports whether a notice contains all of these words.
func contains(notice, words string) bool {
	return !slices.ContainsFunc(strings.Fields(words), func(w string) bool { return !strings.Contains(notice, w) })
}

func TestParticipantsOfAllNodes(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		wantPeople(t, nodes, "ann:1 bob:1") // also on a node without a room
		wantNotices(t, ann, `join-plan "bob" "participantCount":2`)

		// A later join gets all of them.
		time.Sleep(time.Millisecond)
		cat := roomtest.Join(t, nodes[2].Hub, "cat", "p")
		if got := len(cat.Participants("p")); got != 3 {
			t.Errorf("the join answer lists %d participants, want 3", got)
		}
		wantPeople(t, nodes, "ann:1 bob:1 cat:1")
		wantNotices(t, ann, `join-plan "cat" "participantCount":3`)
		wantNotices(t, bob, `join-plan "cat" "participantCount":3`)

		// The same user on two nodes is one participant.
		ann2 := roomtest.Join(t, nodes[1].Hub, "ann", "p")
		wantPeople(t, nodes, "ann:2 bob:1 cat:1")
		ann2.Leave("p")
		wantPeople(t, nodes, "ann:1 bob:1 cat:1")
		ann.Leave("p")
		wantPeople(t, nodes, "bob:1 cat:1")
		wantNotices(t, bob, `leave-plan "ann" "participantCount":2`)
		wantNotices(t, cat, `leave-plan "ann" "participantCount":2`)
		cat.Leave("p")
		bob.Leave("p")
		wantPeople(t, nodes, "")
		for i, n := range nodes {
			if _, ok := n.Room("p"); ok && i == 2 {
				continue // the janitor removes empty rooms later
			}
			if s := n.Stats(); s.Participants != 0 {
				t.Errorf("node %d counts %d participants", i+1, s.Participants)
			}
		}
	})
}

func TestStatesOfAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		shared()
		presenceNotices(t, ann)
		bob.SetPresence("p", 1)
		wantPeople(t, nodes, "ann:1 bob:11")
		wantNotices(t, ann, `presence-updated "bob" "state":1`)

		// Two connections of a user: the newest state wins, and the older one is back at its end.
		bob2 := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		shared()
		bob2.SetPresence("p", 2)
		wantPeople(t, nodes, "ann:1 bob:22")
		wantNotices(t, ann, `presence-updated "bob" "state":2`)
		wantNotices(t, bob, `presence-updated "bob" "state":2`)
		bob2.Leave("p")
		wantPeople(t, nodes, "ann:1 bob:11")
		wantNotices(t, ann, `presence-updated "bob" "state":1`)
		bob.SetPresence("p", nil)
		wantPeople(t, nodes, "ann:1 bob:1")
		wantNotices(t, ann, `presence-updated "bob" "state":null`)
	})
}

func TestNamesOfAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		name := func(n *node) string {
			info, _ := n.Room("p")
			return info.People[len(info.People)-1].UserName
		}
		wantName := func(want string) {
			t.Helper()
			shared()
			for i, n := range nodes {
				if got := name(n); got != want {
					t.Errorf("node %d shows the name %q, want %q", i+1, got, want)
				}
			}
		}
		join := func(n *node, as string) *roomtest.Member {
			m := roomtest.Connect(t, n.Hub, auth.Identity{UserID: "bob", Name: as}, nil)
			m.Join("p", nil)
			return m
		}
		old := join(nodes[1], "Old")
		wantName("Old")
		presenceNotices(t, ann)
		newer := join(nodes[0], "New")
		wantName("New")
		wantNotices(t, ann, `join-plan "bob" "New"`)
		newer.Leave("p")
		wantName("Old")
		old.Leave("p")
		shared()
	})
}

// The user of a connection that breaks lingers on its node; on no node is there a leave if the user
// comes back on another one.
func TestLingerOnAnotherNode(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		bob := roomtest.Join(t, nodes[1].Hub, "bob", "p")
		shared()
		presenceNotices(t, ann)
		bob.Cut()
		wantPeople(t, nodes, "ann:1 bob:0")
		again := roomtest.Join(t, nodes[2].Hub, "bob", "p")
		time.Sleep(10 * time.Second)
		wantPeople(t, nodes, "ann:1 bob:1")
		wantNotices(t, ann)

		again.Cut()
		time.Sleep(4 * time.Second)
		wantNotices(t, ann)
		time.Sleep(2 * time.Second)
		wantPeople(t, nodes, "ann:1")
		wantNotices(t, ann, `leave-plan "bob"`)
	})
}

func TestRevokeEndsPresenceOnAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		roomtest.Join(t, nodes[0].Hub, "bob", "p")
		roomtest.Join(t, nodes[1].Hub, "bob", "p").Cut()
		shared()
		presenceNotices(t, ann)
		if _, err := nodes[1].Revoke(t.Context(), "p", "bob"); err != nil {
			t.Fatal(err)
		}
		wantPeople(t, nodes, "ann:1")
		wantNotices(t, ann, `leave-plan "bob"`)
		if _, err := nodes[1].ClosePlan(t.Context(), "p"); err != nil {
			t.Fatal(err)
		}
		wantPeople(t, nodes, "")
	})
}

// Messages about participants get lost; the next beats bring what is missing.
func TestLostPresenceMessages(t *testing.T) {
	nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		n := 0
		m.DropMessages(func(_, _ string, msg []byte) bool {
			_, kind, _, err := record.ParseMessage(msg)
			n++
			return err != nil || kind != record.MessageAck && n%3 > 0
		})
		members := make([]*roomtest.Member, 30)
		for i := range members {
			members[i] = roomtest.Join(t, nodes[i%3].Hub, fmt.Sprintf("user-%02d", i), "p")
			time.Sleep(30 * time.Millisecond)
		}
		for i, member := range members {
			if i%2 == 0 {
				member.SetPresence("p", i)
			} else if i%3 == 0 {
				member.Leave("p")
			}
			time.Sleep(30 * time.Millisecond)
		}
		m.DropMessages(nil)
		time.Sleep(3 * time.Second)
		info, _ := nodes[0].Room("p")
		if len(info.People) != 25 {
			t.Errorf("%d participants, want 25", len(info.People))
		}
		want := set(people(nodes[0], "p"))
		for _, n := range nodes {
			if got := set(people(n, "p")); got != want {
				t.Errorf("one node shows %s, another one %s", got, want)
			}
		}
		if got := len(members[0].Participants("p")); got == 0 {
			t.Error("no participants")
		}
		presenceNotices(t, members[0])
		if got := len(members[0].Participants("p")); got != 25 {
			t.Errorf("a client knows %d participants, want 25", got)
		}
	})
}

// set sorts words.
func set(s string) string {
	list := strings.Fields(s)
	slices.Sort(list)
	return strings.Join(list, " ")
}

// A room is crowded by the participants of all nodes.
func TestCrowdOfAllNodes(t *testing.T) {
	nodes(t, 2, room.Options{PresenceLimit: 4}, func(t *testing.T, _ *enginetest.Memory, nodes []*node) {
		ann := roomtest.Join(t, nodes[0].Hub, "ann", "p")
		shared()
		others := make([]*roomtest.Member, 6)
		for i := range others {
			others[i] = roomtest.Join(t, nodes[1].Hub, fmt.Sprint("user-", i), "p")
			others[i].SetPresence("p", i)
		}
		time.Sleep(3 * time.Second)
		got := presenceNotices(t, ann)
		if last := got[len(got)-1]; !strings.Contains(last, `"participantCount":7`) || strings.Contains(last, "userId") {
			t.Errorf("the last notice is %q, want the count 7", last)
		}
		if got := people(nodes[0], "p"); !strings.HasSuffix(got, " user-5:1") {
			t.Errorf("another node has sent a state that no client receives: %q", got)
		}
		late := roomtest.Join(t, nodes[0].Hub, "bob", "p")
		if got := len(late.Participants("p")); got != 4 {
			t.Errorf("a join answer lists %d participants, want 4", got)
		}
		for _, m := range others[2:] {
			m.Leave("p")
		}
		time.Sleep(20 * time.Second)
		wantPeople(t, nodes, "ann:1 user-0:10 user-1:11 bob:1")
		got = presenceNotices(t, ann)
		want := []string{
			`join-plan {"participantCount":4}`, `"bob"`, `"user-0"`, `presence-updated "user-0" "state":0`,
			`"user-1"`, `presence-updated "user-1" "state":1`,
		}
		for _, w := range want {
			if !slices.ContainsFunc(got, func(notice string) bool { return contains(notice, w) }) {
				t.Errorf("no notice %q in %q", w, got)
			}
		}
	})
}
