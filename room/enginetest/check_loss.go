package enginetest

import (
	"fmt"

	"github.com/planrooms/planrooms/room"
)

// loss is a way to lose acknowledged records. prepare is called before the records are appended,
// and lose returns the seq of the last record that is left.
type loss struct {
	name, needs string
	prepare     func(*trial)
	lose        func(t *trial, prepared uint64) (left uint64)
}

// lostRecords is the number of records that are lost in a check.
const lostRecords = 5

func losses() []loss {
	return []loss{
		{"LoseTail", "LogLoser", func(*trial) {}, func(t *trial, prepared uint64) uint64 {
			t.cluster.(LogLoser).LoseTail(lostRecords)
			return prepared
		}},
		{"Restore", "Restorer", func(t *trial) { t.cluster.(Restorer).Snapshot() }, func(t *trial, prepared uint64) uint64 {
			t.cluster.(Restorer).Restore()
			return prepared
		}},
		{"Wipe", "Wiper", func(*trial) {}, func(t *trial, _ uint64) uint64 {
			t.cluster.(Wiper).Wipe()
			return 0
		}},
	}
}

func lossChecks() (checks []*check) {
	rules := []string{
		ruleTrimmed,
		"Errors: ErrEpoch as for Tail, and any other.",
		"Epoch changes if a record that was acknowledged may be gone, or a seq may be given twice.",
		"Complete is whether the engine knows that the log has lost no record that was ever acknowledged.",
	}
	for _, l := range losses() {
		checks = append(checks,
			&check{name: l.name, needs: l.needs, rules: rules, test: l.test},
			&check{name: l.name + "Refilled", needs: l.needs, rules: rules, test: l.testRefilled})
	}
	return checks
}

// test loses records while nodes follow the log.
func (l loss) test(t *trial) {
	a, b := t.open(), t.open()
	ta, tb := a.follow(a.opened.Window.Last, nil), b.follow(a.opened.Window.Last, nil)
	l.records(t, a, func() {
		ta.await(t.log.last)
		tb.await(t.log.last)
	})
	c := t.open()
	l.wantNoted(t, a, c)
	c.store("after the loss")
	_, _, err := a.beat("note")
	t.wantEpoch(err, "Beat")
	if !t.ends(tb, tb.last()+1) {
		t.failf("Tail goes on with seq %d after it has delivered records that are lost", tb.last())
	}
	t.wantEpoch(tb.err, "Tail")
	t.wantEpoch(ta.result(), "the Tail of the node whose Beat has told it")
	t.wantEpoch(a.follow(ta.last(), nil).result(), "a second Tail")
	t.wantFresh(a)
	t.wantFresh(b)
}

// testRefilled loses records while no Tail is running. When the nodes look again, their seqs have
// been given to other records.
func (l loss) testRefilled(t *trial) {
	a, b := t.open(), t.open()
	ta, tb := a.follow(a.opened.Window.Last, nil), b.follow(a.opened.Window.Last, nil)
	before := l.records(t, a, func() {
		ta.await(t.log.last)
		tb.await(t.log.last)
		_, _ = ta.end(), tb.end()
	})
	c := t.open()
	l.wantNoted(t, a, c)
	for i := 0; t.log.last < before+3; i++ {
		c.store(fmt.Sprint("in place of a lost record ", i))
	}
	t.wantEpoch(a.follow(before, nil).result(), "Tail")
	_, _, err := b.beat("note")
	t.wantEpoch(err, "Beat")
	t.wantEpoch(b.follow(before, nil).result(), "Tail after Beat")
	t.wantFresh(a)
	t.wantFresh(b)
}

// records appends records, and loses the last of them after delivered has returned. The book then
// has what is left. It returns the last seq before the loss.
func (l loss) records(t *trial, n *node, delivered func()) (last uint64) {
	n.fill("kept", 20)
	l.prepare(t)
	prepared := t.log.last
	for i := range lostRecords {
		n.store(fmt.Sprint("lost ", i))
	}
	delivered()
	last = t.log.last
	t.lose(l.lose(t, prepared))
	return last
}

// wantNoted ends the check if the Open of a new node, c, claims that nothing was lost.
func (l loss) wantNoted(t *trial, a, c *node) {
	if c.opened.Complete && c.opened.Window.Epoch == a.opened.Window.Epoch {
		t.failf("after a loss, Open claims that the log of the same epoch is complete: %+v", c.opened)
	}
	if w := c.opened.Window; w.Last != t.log.last {
		t.failf("after a loss, Open has returned %+v; the last record has seq %d", w, t.log.last)
	}
}

// wantFresh ends the check unless a node that has got room.ErrEpoch starts again after Open.
func (t *trial) wantFresh(n *node) {
	n.rename()
	t.must(n.reopen(), "Open after room.ErrEpoch")
	w := n.opened.Window
	if w.Last != t.log.last {
		t.failf("Open has returned %+v; the last record has seq %d", w, t.log.last)
	}
	l := n.follow(w.First-1, nil)
	l.await(n.store("of " + n.name))
	var after room.Window
	_, after, err := n.beat("note")
	t.must(err, "Beat after Open")
	if after.Epoch != w.Epoch || after.Last != t.log.last {
		t.failf("Beat has returned %+v after Open has returned %+v", after, w)
	}
}
