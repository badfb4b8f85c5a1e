package room_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// TestPresenceAfterACrash ends a node without a word. The clients of the others get one notice,
// within 15 s, that a user has left, for each user who was on that node alone and does not come
// back in time, and for no other user. When all is well again, all nodes list the same people. The
// flags -seeds and -seed are those of TestSimulation.
func TestPresenceAfterACrash(t *testing.T) {
	first, n := uint64(1), (*simSeeds+4)/5
	if raceEnabled {
		n = (n + 2) / 3
	}
	if *simSeed != 0 {
		first, n = *simSeed, 1
	}
	for seed := first; seed < first+uint64(n); seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				c := &crashTest{t: t, rnd: rand.New(rand.NewPCG(seed, 4)), nodes: nodes, at: map[string]map[*node]int{}}
				c.run(m)
			})
		})
	}
}

// crashTest is who is on which node.
type crashTest struct {
	t       *testing.T
	rnd     *rand.Rand
	nodes   []*node
	members []*bystander
	at      map[string]map[*node]int // connections of each user
}

// bystander is a member, and the notices that it got about other users.
type bystander struct {
	*roomtest.Member
	node           *node
	user           string
	stayed         bool // it was there before the crash
	leaves, enters map[string]int
}

func (c *crashTest) run(m *enginetest.Memory) {
	for i := range 12 {
		user := fmt.Sprint("user-", i)
		for range 1 + c.rnd.IntN(2) {
			c.join(user, pick(c.rnd, c.nodes))
		}
	}
	c.join("first", c.nodes[0])
	c.join("second", c.nodes[1])
	shared()
	c.take()
	for _, w := range c.members {
		w.stayed = true
		clear(w.leaves)
		clear(w.enters)
	}

	dead := c.nodes[2]
	var gone []string // who was on that node alone
	for user, where := range c.at {
		if len(where) == 1 && where[dead] > 0 {
			gone = append(gone, user)
		}
	}
	slices.Sort(gone)
	c.crash(dead)
	crashed := time.Now()
	var late []string
	for _, user := range gone {
		if c.rnd.IntN(3) == 0 {
			time.Sleep(time.Duration(c.rnd.IntN(1500)) * time.Millisecond)
			c.join(user, pick(c.rnd, c.nodes))
		} else {
			late = append(late, user)
		}
	}
	time.Sleep(time.Until(crashed.Add(15 * time.Second)))
	c.take()
	c.notified("leaves", late, func(w *bystander) map[string]int { return w.leaves })
	c.notified("joins", nil, func(w *bystander) map[string]int { return w.enters })

	// Another node takes its place, and some of the users come back.
	fresh := startNode(c.t, m, "fresh", room.Options{})
	fresh.awaitReady(c.t)
	c.nodes = append(c.nodes, fresh)
	back := late[:len(late)/2]
	for _, user := range back {
		c.join(user, pick(c.rnd, c.nodes))
	}
	time.Sleep(30 * time.Second)
	c.take()
	c.notified("leaves", late, func(w *bystander) map[string]int { return w.leaves })
	c.notified("joins", back, func(w *bystander) map[string]int { return w.enters })
	want := slices.Sorted(maps.Keys(c.at))
	for _, n := range c.nodes {
		info, _ := n.Room("p")
		var got []string
		for _, p := range info.People {
			got = append(got, p.UserID)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			c.t.Errorf("%s lists %q, want %q", n.opts.Node, got, want)
		}
	}
}

func (c *crashTest) join(user string, n *node) {
	w := &bystander{
		Member: roomtest.Join(c.t, n.Hub, user, "p"), node: n, user: user, leaves: map[string]int{}, enters: map[string]int{},
	}
	c.members = append(c.members, w)
	if c.at[user] == nil {
		c.at[user] = map[*node]int{}
	}
	c.at[user][n]++
}

// crash ends a node and its connections.
func (c *crashTest) crash(n *node) {
	c.take()
	c.members = slices.DeleteFunc(c.members, func(w *bystander) bool {
		if w.node == n {
			w.Cut()
		}
		return w.node == n
	})
	n.crash()
	c.nodes = slices.DeleteFunc(c.nodes, func(o *node) bool { return o == n })
	for user := range c.at {
		if delete(c.at[user], n); len(c.at[user]) == 0 {
			delete(c.at, user)
		}
	}
}

// take counts the notices of all members.
func (c *crashTest) take() {
	for _, w := range c.members {
		for _, msg := range unread(c.t, w.Member) {
			var n struct{ UserID string }
			if err := json.Unmarshal(msg.Data, &n); err != nil {
				c.t.Fatal(err)
			}
			switch msg.Type {
			case protocol.TypeLeavePlan:
				w.leaves[n.UserID]++
			case protocol.TypeJoinPlan:
				w.enters[n.UserID]++
			}
		}
	}
}

// notified fails the test unless each member that was there all the time got one notice for each of
// these users, and for no other one.
func (c *crashTest) notified(what string, users []string, of func(*bystander) map[string]int) {
	c.t.Helper()
	want := map[string]int{}
	for _, user := range users {
		want[user] = 1
	}
	for _, w := range c.members {
		if got := of(w); w.stayed && !maps.Equal(got, want) {
			c.t.Errorf("%s on %s got notices of the %s %v, want %v", w.user, w.node.opts.Node, what, got, want)
		}
	}
}
