package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

func chaosChecks() []*check {
	return []*check{{
		name: "Chaos", needs: "Cutter",
		rules: []string{ruleStored, ruleUncertain, ruleSameID, ruleOvercomes, ruleTail},
		test:  testChaos,
	}}
}

// Three nodes publish, with contexts that end early, while their connections are cut at random. In
// the end, all Tails have delivered the same, and each Append was right about its record.
func testChaos(t *trial) {
	cutter := t.cluster.(Cutter)
	nodes := []*node{t.open(), t.open(), t.open()}
	first := nodes[0].opened.Window.First
	tails := make([]*tail, len(nodes))
	stop := make(chan struct{})
	published := make(chan []attempt, len(nodes))
	for i, n := range nodes {
		tails[i] = n.follow(first-1, nil)
		go func() { published <- n.publishBriefly(rand.New(rand.NewPCG(3, uint64(i))), stop) }()
	}
	random := rand.New(rand.NewPCG(3, 14))
	for range 15 {
		n := nodes[random.IntN(len(nodes))]
		cutter.Cut(n.Engine)
		t.wait(random.IntN(100))
		cutter.Heal(n.Engine)
		t.wait(random.IntN(50))
	}
	close(stop)
	var attempts []attempt
	for range nodes {
		t.must(t.call("Append", func() error {
			attempts = append(attempts, <-published...)
			return nil
		}), "Append")
	}
	t.settle(nodes[0], first-1, attempts)
	for _, l := range tails {
		l.await(t.log.last)
	}
	t.dense(first)
}

// publishBriefly appends records, with contexts that end after up to 100 ms, until stop is closed.
func (n *node) publishBriefly(random *rand.Rand, stop <-chan struct{}) (attempts []attempt) {
	for i := 0; n.t.wait(random.IntN(20)); i++ {
		select {
		case <-stop:
			return attempts
		default:
		}
		a := attempt{text: fmt.Sprintf("%s record %d", n.name, i)}
		ctx, cancel := context.WithTimeout(n.t.ctx, time.Duration(random.IntN(100))*time.Millisecond)
		a.seq, a.err = n.Append(ctx, a.text, []byte(a.text))
		cancel()
		attempts = append(attempts, a)
	}
	return attempts
}
