package room_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
	"github.com/planrooms/planrooms/room/roomtest"
)

// Users come, go and change their states while nodes are cut off from the log, are replaced, and
// messages get lost. When all is well again, each node and each client knows who is present.
func TestParticipantsConverge(t *testing.T) {
	seeds := uint64(10)
	if raceEnabled {
		seeds = 4
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			nodes(t, 3, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
				p := &party{t: t, rand: rand.New(rand.NewPCG(seed, 1)), memory: m, nodes: nodes, cut: map[*node]bool{}}
				for range 150 {
					p.step()
				}
				p.settle()
				p.check()
			})
		})
	}
}

// party is what happens to the participants of plan p.
type party struct {
	t      *testing.T
	rand   *rand.Rand
	memory *enginetest.Memory
	nodes  []*node
	cut    map[*node]bool
	lost   bool // the log has lost a record
	guests []*guestOf
}

// guestOf is a connection of a user to a node.
type guestOf struct {
	*roomtest.Member
	user string
	node *node
}

func (p *party) step() {
	synctest.Wait()
	p.forget()
	n := p.nodes[p.rand.IntN(len(p.nodes))]
	switch r := p.rand.IntN(100); {
	case r < 35:
		if !p.cut[n] {
			user := fmt.Sprint("user-", p.rand.IntN(8))
			p.guests = append(p.guests, &guestOf{Member: roomtest.Join(p.t, n.Hub, user, "p"), user: user, node: n})
		}
	case r < 50:
		if g := p.take(); g != nil {
			if p.rand.IntN(2) == 0 {
				g.Cut()
			} else {
				g.Leave("p")
			}
		}
	case r < 70:
		if len(p.guests) > 0 {
			g := p.guests[p.rand.IntN(len(p.guests))]
			g.SetPresence("p", p.rand.IntN(9))
		}
	case r < 74:
		n.engine.Cut()
		p.cut[n] = true
	case r < 80:
		p.heal(n)
	case r < 83:
		rate := p.rand.IntN(10)
		p.memory.DropMessages(func(_, _ string, msg []byte) bool { return int(msg[len(msg)-1])%10 < rate })
	case r < 84:
		p.replace(n)
	case r < 86:
		p.loseTail()
	default:
		time.Sleep(time.Duration(p.rand.IntN(1000)) * time.Millisecond)
	}
	time.Sleep(time.Duration(p.rand.IntN(40)) * time.Millisecond)
}

// take removes one of the connections.
func (p *party) take() *guestOf {
	if len(p.guests) == 0 {
		return nil
	}
	i := p.rand.IntN(len(p.guests))
	g := p.guests[i]
	p.guests = slices.Delete(p.guests, i, i+1)
	return g
}

func (p *party) heal(n *node) {
	if p.cut[n] {
		n.engine.Heal()
		n.awaitReady(p.t)
		delete(p.cut, n)
	}
}

// loseTail lets the log lose its newest record: all nodes open it again.
func (p *party) loseTail() {
	p.memory.LoseTail(1)
	p.lost = true
	time.Sleep(2 * time.Second)
	for _, n := range p.nodes {
		if !p.cut[n] {
			n.awaitReady(p.t)
		}
	}
}

// replace ends a node and starts another one.
func (p *party) replace(n *node) {
	p.heal(n)
	if err := n.Shutdown(context.Background()); err != nil {
		p.t.Errorf("Shutdown: %v", err)
	}
	p.guests = slices.DeleteFunc(p.guests, func(g *guestOf) bool { return g.node == n })
	i := slices.Index(p.nodes, n)
	p.nodes[i] = startNode(p.t, p.memory, fmt.Sprint("next-", i), room.Options{})
	p.nodes[i].awaitReady(p.t)
}

// settle ends all faults, and waits until users have lingered, and nodes that were replaced are
// gone.
func (p *party) settle() {
	p.memory.DropMessages(nil)
	for _, n := range p.nodes {
		p.heal(n)
	}
	time.Sleep(30 * time.Second)
	p.forget()
}

// forget drops the connections that their node has closed, because it had no tenure when the log
// lost a record.
func (p *party) forget() {
	if p.lost {
		p.guests = slices.DeleteFunc(p.guests, func(g *guestOf) bool { return g.Sink().State().Code == protocol.CloseShutdown })
	}
}

func (p *party) check() {
	conns := map[string]int{}
	for _, g := range p.guests {
		conns[g.user]++
	}
	var want []string
	for user, n := range conns {
		want = append(want, fmt.Sprintf("%s:%d", user, n))
	}
	slices.Sort(want)
	states := ""
	for i, n := range p.nodes {
		var got, state []string
		info, _ := n.Room("p")
		for _, who := range info.People {
			got = append(got, fmt.Sprintf("%s:%d", who.UserID, who.Connections))
			state = append(state, who.UserID+string(who.State))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			p.t.Errorf("node %d shows %q, want %q", i+1, got, want)
		}
		slices.Sort(state)
		if s := strings.Join(state, " "); i == 0 {
			states = s
		} else if s != states {
			p.t.Errorf("node %d shows the states %q, node 1 %q", i+1, s, states)
		}
	}
	for _, g := range p.guests {
		unread(p.t, g.Member)
		var got []string
		for _, who := range g.Participants("p") {
			got = append(got, who.UserID+string(who.State))
		}
		slices.Sort(got)
		// A client does not receive the states that it sets itself.
		others := func(words []string) string {
			return strings.Join(slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, g.user) }), " ")
		}
		if got, want := others(got), others(strings.Fields(states)); got != want || len(got) == 0 && len(conns) > 1 {
			p.t.Errorf("a client of %s knows %q, want %q", g.user, got, want)
		}
	}
}
