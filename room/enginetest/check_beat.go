package enginetest

import (
	"bytes"
	"context"
	"fmt"

	"github.com/planrooms/planrooms/room"
)

const (
	ruleBeat  = "Beat stores the note of this node, of at most MaxNote bytes, with a number that grows by one at each call that stores it, and then reads the notes of all nodes and the window of the log."
	ruleNewer = "What it reads is not older than what it has stored."
)

func beatChecks() []*check {
	return []*check{
		{name: "BeatNumbers", rules: []string{ruleBeat, ruleNewer, "of the notes that this node has stored"}, test: testBeatNumbers},
		{name: "BeatOthers", rules: []string{ruleBeat, ruleNewer,
			"Notes of nodes that have not called Beat for an hour may be dropped.",
		}, test: testBeatOthers},
		{name: "BeatAtOnce", rules: []string{ruleBeat, ruleNewer}, test: testBeatAtOnce},
		{name: "BeatSizes", rules: []string{ruleBeat}, test: testBeatSizes},
		{name: "BeatWindow", rules: []string{ruleBeat, ruleNewer,
			"MaxRecord is Opened.MaxRecord as Beat has found it, if the engine knows it then.",
			"Otherwise, and after Open, it is 0.",
		}, test: testBeatWindow},
		{name: "BeatCut", needs: "Cutter", rules: []string{ruleBeat}, test: testBeatCut},
	}
}

// want calls Beat, and ends the check unless it succeeds and the list shows this note. It returns
// the number of the note.
func (n *node) want(note []byte) (number uint64, nodes []room.Node) {
	err := n.t.call("Beat", func() (err error) {
		nodes, _, err = n.Beat(n.t.ctx, note)
		return err
	})
	n.t.must(err, "Beat")
	own, count := noteOf(nodes, n.name)
	if count != 1 || !bytes.Equal(own.Note, note) {
		n.t.failf("the list has %d notes of %s: %s; want %s", count, n.name, brief(string(own.Note)), brief(string(note)))
	}
	return own.Number, nodes
}

func testBeatNumbers(t *trial) {
	for _, n := range []*node{t.open(), t.open()} {
		first, _ := n.want([]byte("note 0"))
		for i := uint64(1); i < 20; i++ {
			if got, _ := n.want(fmt.Appendf(nil, "note %d", i)); got != first+i {
				t.failf("the number of a note is %d after %d", got, first+i-1)
			}
		}
	}
}

// Once the Beat of a node has returned, the others see its note. They see it after the node has
// closed, too.
func testBeatOthers(t *trial) {
	a, b, c := t.open(), t.open(), t.open()
	c.want([]byte("c"))
	c.close()
	for i := range 20 {
		note := fmt.Appendf(nil, "note %d", i)
		number, _ := a.want(note)
		_, nodes := b.want([]byte("b"))
		for _, want := range []room.Node{{Name: a.name, Number: number, Note: note}, {Name: c.name, Note: []byte("c")}} {
			got, count := noteOf(nodes, want.Name)
			if count != 1 || !bytes.Equal(got.Note, want.Note) || want.Number > 0 && got.Number != want.Number {
				t.failf("the list of %s has %d notes of %s: %q with number %d; want %q, %d", b.name, count, want.Name, got.Note, got.Number, want.Note, want.Number)
			}
		}
		if len(nodes) != 3 {
			t.failf("the list has %d notes of 3 nodes", len(nodes))
		}
	}
}

// Beats of several nodes at once: each sees its own note, and numbers of others do not go back.
func testBeatAtOnce(t *trial) {
	nodes := []*node{t.open(), t.open(), t.open()}
	t.each("Beat", len(nodes), func(i int) error {
		n := nodes[i]
		seen := map[string]uint64{}
		for j := range 50 {
			note := fmt.Sprint("note ", j)
			list, _, err := n.Beat(t.ctx, []byte(note))
			if err != nil {
				return err
			}
			if own, count := noteOf(list, n.name); count != 1 || string(own.Note) != note {
				return fmt.Errorf("the list has %d notes of %s: %q, want %q", count, n.name, own.Note, note)
			}
			for _, o := range list {
				if o.Number < seen[o.Name] {
					return fmt.Errorf("a list has number %d of %s, after a list with %d", o.Number, o.Name, seen[o.Name])
				}
				seen[o.Name] = o.Number
			}
		}
		return nil
	})
}

func testBeatSizes(t *trial) {
	n := t.open()
	n.want([]byte{})
	n.want(bytes.Repeat([]byte{0, 0xff}, room.MaxNote/2))
	n.want([]byte("{}"))
}

// A Beat that begins after an Append has returned sees its record, on each node.
func testBeatWindow(t *trial) {
	a, b := t.open(), t.open()
	for i := range 20 {
		seq := a.store(fmt.Sprint("record ", i))
		for _, n := range []*node{a, b} {
			w := n.window()
			if w.MaxRecord != 0 && w.MaxRecord != a.opened.MaxRecord {
				t.failf("Beat of %s has returned the limit %d, want %d or 0", n.name, w.MaxRecord, a.opened.MaxRecord)
			}
			if w.Epoch != a.opened.Window.Epoch || w.First != a.opened.Window.First || w.Last != seq {
				t.failf("Beat of %s has returned %+v, want the epoch %s and the seqs %d to %d", n.name, w, a.opened.Window.Epoch, a.opened.Window.First, seq)
			}
		}
	}
}

// After a cut the number is higher than before, and the list shows the note.
func testBeatCut(t *trial) {
	a := t.open()
	before, _ := a.want([]byte("before"))
	t.cluster.(Cutter).Cut(a.Engine)
	err := a.endsSoon(engineCall{"Beat", func(n *node, ctx context.Context) error {
		_, _, err := n.Beat(ctx, []byte("during"))
		return err
	}})
	if err == nil {
		t.failf("Beat has returned nil, although the connection was cut")
	}
	t.cluster.(Cutter).Heal(a.Engine)
	nodes, _, err := a.beat("after")
	t.must(err, "Beat after a cut")
	if own, _ := noteOf(nodes, a.name); own.Number <= before || string(own.Note) != "after" {
		t.failf("after a cut the note is %q with number %d; the number was %d", own.Note, own.Number, before)
	}
}
