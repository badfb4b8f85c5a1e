package enginetest

import (
	"context"
	"errors"
	"fmt"

	"github.com/planrooms/planrooms/room"
)

const (
	ruleTail      = "Tail calls apply with every record after a seq, in order and each once, and waits for new ones until ctx ends; it then returns the error of ctx."
	ruleOvercomes = "It overcomes lost connections and notifications itself."
)

func tailChecks() []*check {
	return []*check{
		{name: "TailFromEverySeq", rules: []string{ruleTail}, test: testTailFromEverySeq},
		{name: "TailEnds", rules: []string{ruleTail, ruleCtx}, test: testTailEnds},
		{name: "TailSlow", rules: []string{"apply may block: other calls must not wait for it."}, test: testTailSlow},
		{name: "TailDataStays", rules: []string{
			"Arguments and results are not modified by either side afterwards, except for a slice of records, which its callee may keep only until it returns.",
		}, test: testTailDataStays},
		{name: "TailCut", needs: "Cutter", rules: []string{ruleOvercomes}, test: testTailCut},
		{name: "Restart", needs: "Restarter", rules: []string{ruleOvercomes, ruleStored,
			"Epoch changes if a record that was acknowledged may be gone, or a seq may be given twice.",
		}, test: testRestart},
	}
}

func testTailFromEverySeq(t *trial) {
	a, b := t.open(), t.open()
	a.fill("record", 150)
	first := a.opened.Window.First
	t.dense(first)
	for after := first - 1; after <= t.log.last; after++ {
		l := b.follow(after, nil)
		l.await(t.log.last)
		_ = l.end()
	}
}

func testTailEnds(t *trial) {
	n := t.open()
	last := n.store("record")
	for _, after := range []uint64{last, last - 1} {
		l := n.follow(after, nil)
		l.await(last)
		if err := l.end(); !errors.Is(err, context.Canceled) {
			t.failf("Tail has returned %v after its context was cancelled", err)
		}
	}
	ended, cancel := context.WithCancelCause(t.ctx)
	cancel(errors.New("the cause, which is not the error of the context"))
	err := t.call("Tail with a context that has ended", func() error { return n.Tail(ended, last, func([]room.Record) {}) })
	if !errors.Is(err, context.Canceled) {
		t.failf("Tail with a context that was cancelled has returned %v", err)
	}
}

// While apply blocks, all calls of the same engine return. Then the Tail goes on where it was.
func testTailSlow(t *trial) {
	a, b := t.open(), t.open()
	reached, release := make(chan struct{}), make(chan struct{})
	slow := a.follow(a.opened.Window.Last, func(r room.Record) {
		if r.Seq == a.opened.Window.Last+1 {
			close(reached)
			<-release
		}
	})
	defer slow.cancel()
	blocked := true
	defer func() {
		if blocked {
			close(release)
		}
	}()
	a.store("blocks")
	t.must(t.call("apply", func() error {
		select {
		case <-reached:
			return nil
		case <-t.ctx.Done():
			return errors.New("was not called with a record that is stored")
		}
	}), "apply")
	a.fill("on the same node", 300)
	b.fill("on another node", 300)
	t.dense(a.opened.Window.First)
	_ = a.window()
	a.reach("", 0, b)
	b.reach(a.name, 0, a)
	a.follow(a.opened.Window.Last, nil).await(t.log.last)
	blocked = false
	close(release)
	slow.await(t.log.last)
}

func testTailDataStays(t *trial) {
	n := t.open()
	l := n.follow(n.opened.Window.Last, nil)
	data := []byte("given to Append")
	seq, err := n.tryAppend(t.ctx, "argument", data)
	t.must(err, "Append")
	t.stored(seq, "given to Append")
	for i := range 5 {
		n.fill(fmt.Sprint("round ", i), 100)
	}
	l.await(t.log.last)
	again := n.follow(n.opened.Window.Last, nil)
	again.await(t.log.last)
	l.check()
	if string(data) != "given to Append" {
		t.failf("the data that Append was given is now %q", data)
	}
}

// A Tail whose connection is cut and comes back misses nothing.
func testTailCut(t *trial) {
	a, b := t.open(), t.open()
	cutter := t.cluster.(Cutter)
	l := a.follow(a.opened.Window.Last, nil)
	l.await(a.store("before"))
	for i := range 3 {
		cutter.Cut(a.Engine)
		b.fill(fmt.Sprint("during cut ", i), 50)
		cutter.Heal(a.Engine)
		l.await(t.log.last)
		l.await(b.store(fmt.Sprint("after cut ", i)))
	}
	if w := a.window(); w.Epoch != a.opened.Window.Epoch {
		t.failf("the epoch was %s and is %s, although nothing was lost", a.opened.Window.Epoch, w.Epoch)
	}
}

// A server that restarts with its disk loses nothing, and the epoch stays.
func testRestart(t *trial) {
	a, b := t.open(), t.open()
	epoch := a.opened.Window.Epoch
	la, lb := a.follow(a.opened.Window.Last, nil), b.follow(a.opened.Window.Last, nil)
	for round := range 2 {
		a.fill(fmt.Sprint("before ", round), 50)
		var attempts []attempt
		restarted := make(chan struct{})
		returned := make(chan error, 1)
		first := make(chan struct{})
		go func() {
			returned <- b.publish(fmt.Sprint("during restart ", round), restarted, func(o attempt) {
				attempts = append(attempts, o)
				if len(attempts) == 1 {
					close(first)
				}
			})
		}()
		t.must(t.call("Append", func() error { <-first; return nil }), "Append")
		t.cluster.(Restarter).Restart()
		close(restarted)
		t.must(t.call("Append", func() error { return <-returned }), "Append during a restart")
		for _, o := range attempts {
			t.stored(o.seq, o.text)
		}
		la.await(a.store(fmt.Sprint("after restart ", round)))
		t.settle(a, a.opened.Window.First-1, attempts)
		la.await(t.log.last)
		lb.await(t.log.last)
	}
	t.dense(a.opened.Window.First)
	for _, w := range []room.Window{a.window(), b.window(), t.open().opened.Window} {
		if w.Epoch != epoch || w.First != a.opened.Window.First || w.Last != t.log.last {
			t.failf("the window is %+v after a restart, want epoch %s and the seqs %d to %d", w, epoch, a.opened.Window.First, t.log.last)
		}
	}
}

// publish appends records until stop is closed, or one fails.
func (n *node) publish(prefix string, stop <-chan struct{}, appended func(attempt)) error {
	for i := 0; n.t.pause(); i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		text := fmt.Sprintf("%s: %d", prefix, i)
		seq, err := n.Append(n.t.ctx, text, []byte(text))
		appended(attempt{text, seq, err})
		if err != nil {
			return err
		}
	}
	return n.t.ctx.Err()
}
