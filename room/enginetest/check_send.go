package enginetest

import (
	"fmt"

	"github.com/planrooms/planrooms/room"
)

const (
	ruleSend    = "Send sends msg, of at most MaxMessage bytes, to one node or, if to is \"\", to all others."
	ruleAtMost  = "A node receives it at most once, and need not receive it at all."
	ruleReceive = "From then on until Close the engine passes messages of other nodes to receive: one at a time, each at most once, in any order."
)

func sendChecks() []*check {
	return []*check{
		{name: "SendToOne", rules: []string{ruleSend, ruleReceive}, test: testSendToOne},
		{name: "SendToAll", rules: []string{ruleSend, ruleReceive}, test: testSendToAll},
		{name: "SendSizes", rules: []string{ruleSend}, test: testSendSizes},
		{name: "SendAtOnce", rules: []string{ruleAtMost, ruleReceive}, test: testSendAtOnce},
	}
}

func testSendToOne(t *trial) {
	a, b, c := t.open(), t.open(), t.open()
	for range 10 {
		a.reach(b.name, 0, b)
		c.reach(b.name, 0, b)
	}
	a.reach("", 0, b, c) // behind all others, in engines that keep the order
	for _, n := range []*node{a, c} {
		for _, from := range []*node{a, c} {
			if n.inbox.starting(from.name, fmt.Sprintf("%s to %q", from.name, b.name)) > 0 {
				t.failf("%s has received a message of %s to %s", n.name, from.name, b.name)
			}
		}
	}
}

func testSendToAll(t *trial) {
	nodes := []*node{t.open(), t.open(), t.open()}
	for i, n := range nodes {
		others := append(append([]*node{}, nodes[:i]...), nodes[i+1:]...)
		for range 5 {
			n.reach("", 0, others...)
		}
	}
}

func testSendSizes(t *trial) {
	a, b := t.open(), t.open()
	for _, size := range []int{100, 8000, room.MaxMessage} {
		a.reach(b.name, size, b)
		b.reach("", size, a)
	}
	t.must(t.call("Send", func() error { return a.Send(t.ctx, b.name, nil) }), "Send of an empty message")
}

// Each node sends to all and to single ones. trial.close checks that nothing has come twice, or to
// its sender.
func testSendAtOnce(t *trial) {
	nodes := []*node{t.open(), t.open(), t.open()}
	t.each("Send", len(nodes), func(i int) error {
		for j := range 200 {
			to := ""
			if j%2 == 0 {
				to = nodes[(i+1+j/2%2)%len(nodes)].name
			}
			if err := nodes[i].Send(t.ctx, to, fmt.Appendf(nil, "message %d to %q", j, to)); err != nil {
				return err
			}
		}
		return nil
	})
	for i, n := range nodes {
		n.reach("", 0, nodes[(i+1)%3], nodes[(i+2)%3])
	}
}
