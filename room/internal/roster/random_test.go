package roster_test

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room/internal/roster"
)

var seeds = flag.Int("seeds", 40, "how many random histories TestConverges runs")

// TestConverges runs nodes that change their lists, crash, restart and lose sight of each other,
// while the network loses, delays and reorders messages. When the network works again and each node
// has sent one note, all nodes list the same users.
func TestConverges(t *testing.T) {
	for seed := range *seeds {
		c := &cluster{t: t, rand: rand.New(rand.NewPCG(uint64(seed), 14)), loss: float64(seed%5) / 10}
		for range 2 + seed%4 {
			c.start()
		}
		for range 400 {
			c.step()
		}
		c.heal()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type cluster struct {
	t       *testing.T
	rand    *rand.Rand
	nodes   []*node // alive
	dead    []string
	flying  []message
	loss    float64
	started int
}

type node struct {
	name   string
	own    *roster.Own
	listed map[roster.Change]roster.Person
	others *roster.Others
	peers  map[string]bool // whom it has added
}

type message struct {
	kind     string
	from, to string
	body     []byte
}

func (c *cluster) start() {
	c.started++
	n := &node{
		name: fmt.Sprint("node ", c.started), own: roster.NewOwn(), listed: map[roster.Change]roster.Person{},
		others: roster.NewOthers(), peers: map[string]bool{},
	}
	c.nodes = append(c.nodes, n)
}

func (c *cluster) step() {
	n := c.nodes[c.rand.IntN(len(c.nodes))]
	other := c.nodes[c.rand.IntN(len(c.nodes))]
	switch r := c.rand.IntN(100); {
	case r < 35:
		c.change(n)
	case r < 50:
		c.flush(n)
	case r < 85:
		c.deliver(c.rand.IntN(len(c.flying) + 1))
	case r < 93:
		c.note(n, other)
	case r < 95 && len(c.nodes) > 2:
		c.crash(n)
	case r < 96 && len(c.nodes) < 6:
		c.start()
	case r < 98: // takes another node for gone
		c.gone(n, other.name)
	case len(c.dead) > 0:
		c.gone(n, c.dead[c.rand.IntN(len(c.dead))])
	}
}

// change changes a user in a plan, as a hub does.
func (c *cluster) change(n *node) {
	k := roster.Change{Plan: fmt.Sprint("plan ", c.rand.IntN(3)), UserID: fmt.Sprint("user ", c.rand.IntN(8))}
	p, listed := n.listed[k]
	if listed && c.rand.IntN(3) == 0 {
		delete(n.listed, k)
		n.own.Remove(k.Plan, k.UserID)
		return
	}
	seen, _ := n.others.Merged(k.Plan, k.UserID)
	p.UserID, p.Connections = k.UserID, c.rand.IntN(3)
	if !listed {
		p.JoinedAt = time.Unix(0, 1+c.rand.Int64N(1000))
	}
	if name := fmt.Sprint("Name ", c.rand.IntN(2)); name != p.UserName {
		p.UserName, p.NameAt = name, max(p.NameAt, seen.NameAt)+1
	}
	switch c.rand.IntN(3) {
	case 0:
		p.State, p.StateAt = fmt.Append(nil, c.rand.IntN(5)), max(p.StateAt, seen.StateAt)+1
	case 1:
		p.State = nil
	}
	n.listed[k] = p
	n.own.Set(k.Plan, p)
}

// flush sends the deltas of a node to all others.
func (c *cluster) flush(n *node) {
	for _, body := range deltas(n.own, 100) {
		for _, to := range c.nodes {
			if to != n {
				c.send(message{"delta", n.name, to.name, body})
			}
		}
	}
}

func (c *cluster) send(m message) {
	if c.rand.Float64() >= c.loss {
		c.flying = append(c.flying, m)
	}
}

// note passes the note of a node to another, which adds it and asks for what is missing.
func (c *cluster) note(from, to *node) {
	if from == to {
		return
	}
	to.others.Add(from.name)
	to.peers[from.name] = true
	if to.others.Behind(from.name, from.own.Number()) {
		c.send(message{"ask", to.name, from.name, nil})
	}
}

// deliver passes one message.
func (c *cluster) deliver(i int) {
	if i >= len(c.flying) {
		return
	}
	m := c.flying[i]
	c.flying = slices.Delete(c.flying, i, i+1)
	at := slices.IndexFunc(c.nodes, func(n *node) bool { return n.name == m.to })
	if at < 0 {
		return
	}
	n, incomplete := c.nodes[at], false
	switch m.kind {
	case "delta":
		_, incomplete = c.take(n, m, n.others.Delta)
	case "page":
		_, incomplete = c.take(n, m, n.others.Page)
	case "ask":
		for _, page := range n.own.Pages(150) {
			c.send(message{"page", n.name, m.from, page})
		}
	}
	if incomplete {
		c.send(message{"ask", n.name, m.from, nil})
	}
}

// take passes a body, and checks that the users about whom something changes are those returned.
func (c *cluster) take(n *node, m message, f func(string, []byte) ([]roster.Change, bool)) (changed []roster.Change, incomplete bool) {
	before := view(n.others)
	changed, incomplete = f(m.from, m.body)
	after := view(n.others)
	for _, v := range []map[roster.Change]roster.Person{before, after} {
		for k := range v {
			if !reflect.DeepEqual(before[k], after[k]) && !slices.Contains(changed, k) {
				c.t.Errorf("%s changed %v and did not return it", m.kind, k)
			}
		}
	}
	c.check(n)
	return changed, incomplete
}

func (c *cluster) crash(n *node) {
	c.nodes = slices.DeleteFunc(c.nodes, func(other *node) bool { return other == n })
	c.dead = append(c.dead, n.name)
}

func (c *cluster) gone(n *node, name string) {
	if n.name != name {
		n.others.Gone(name)
		delete(n.peers, name)
		c.check(n)
	}
}

// check fails if a node lists a user of a node that it has not added, or that is gone.
func (c *cluster) check(n *node) {
	for k := range view(n.others) {
		for _, name := range n.others.Nodes(k.Plan, k.UserID) {
			if !n.peers[name] {
				c.t.Errorf("%s lists %v of %s, which is gone", n.name, k, name)
			}
		}
	}
}

// heal lets everything arrive that is under way, in any order, and then one note of each node.
func (c *cluster) heal() {
	c.loss = 0
	for _, n := range c.nodes {
		c.flush(n)
		for _, name := range c.dead {
			c.gone(n, name)
		}
	}
	c.settle()
	for _, from := range c.nodes {
		for _, to := range c.nodes {
			c.note(from, to)
		}
	}
	c.settle()
	for _, n := range c.nodes {
		want := map[roster.Change]roster.Person{}
		for _, other := range c.nodes {
			for k, p := range other.listed {
				if other != n {
					want[k] = expect(want[k], p, other.name)
				}
			}
		}
		if diff := gocmp.Diff(want, view(n.others)); diff != "" {
			c.t.Errorf("%s lists something else than the nodes do:\n%s", n.name, diff)
		}
		for name := range n.peers {
			n.others.Gone(name)
		}
		if bytes := n.others.Bytes(); bytes != 0 {
			c.t.Errorf("%d bytes without a node", bytes)
		}
	}
}

func (c *cluster) settle() {
	for len(c.flying) > 0 {
		c.deliver(c.rand.IntN(len(c.flying)))
	}
}

// expect is what Person.Merge has to do with the person that a node lists.
func expect(merged, p roster.Person, node string) roster.Person {
	if merged.UserID == "" {
		merged = roster.Person{UserID: p.UserID, JoinedAt: p.JoinedAt}
	}
	merged.Connections += p.Connections
	if p.JoinedAt.Before(merged.JoinedAt) {
		merged.JoinedAt = p.JoinedAt
	}
	if cmp.Or(cmp.Compare(p.NameAt, merged.NameAt), cmp.Compare(node, merged.NameBy)) > 0 {
		merged.UserName, merged.NameAt, merged.NameBy = p.UserName, p.NameAt, node
	}
	if p.State != nil && cmp.Or(cmp.Compare(p.StateAt, merged.StateAt), cmp.Compare(node, merged.StateBy)) > 0 {
		merged.State, merged.StateAt, merged.StateBy = p.State, p.StateAt, node
	}
	return merged
}

// view is all that others list.
func view(x *roster.Others) map[roster.Change]roster.Person {
	v := map[roster.Change]roster.Person{}
	for i := range 3 {
		plan := fmt.Sprint("plan ", i)
		for p := range x.Plan(plan) {
			v[roster.Change{Plan: plan, UserID: p.UserID}] = p
		}
	}
	return v
}
