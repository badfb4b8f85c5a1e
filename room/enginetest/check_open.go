package enginetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/planrooms/planrooms/room"
)

func openChecks() []*check {
	return []*check{
		{name: "Open", rules: []string{
			"Open connects a node to the log of a cluster, and creates the log if there is none.",
			"It returns what the log holds.",
			"Alone is whether no other process can use the log before Close.",
			"from 1 on",
		}, test: testOpen},
		{name: "OpenForeign", rules: []string{
			"Open fails for a log of another cluster, and for settings with which the engine cannot keep its promises.",
			"Nodes with the same name share a log; those of another cluster must not, even on the same server.",
			"After an error, Open may be called again.",
		}, test: testOpenForeign},
		{name: "OpenEnded", rules: []string{
			"After an error, Open may be called again.",
			"A method returns soon after its context ends.",
		}, test: testOpenEnded},
		{name: "OpenAgain", rules: []string{
			"The hub calls Open until it succeeds, and again after ErrEpoch, with another node name; it makes these calls one after the other, but Append and Send may run meanwhile.",
			"A call after one that has succeeded looks at the log afresh, and replaces the node name and receive of the earlier one, whose Tail and Beat have returned.",
		}, test: testOpenAgain},
		{name: "OpenNames", rules: []string{
			"Node is the name of this node, unique in the cluster and for each call of Open: 1 to 80 of [A-Za-z0-9_-].",
		}, test: testOpenNames},
	}
}

func testOpen(t *trial) {
	a := t.open()
	w := a.opened.Window
	if w.Epoch == "" || w.First < 1 || w.First != w.Last+1 || a.opened.MaxRecord <= 0 {
		t.failf("Open of a new log has returned %+v", a.opened)
	}
	for i := range 5 {
		a.store(fmt.Sprint("record ", i))
	}
	b := t.open()
	if a.opened.Alone {
		t.failf("Open says that its node is alone, but another one can open the log, too")
	}
	want := room.Window{Epoch: w.Epoch, First: w.First, Last: w.Last + 5}
	if got := b.opened.Window; got != want || b.opened.MaxRecord != a.opened.MaxRecord {
		t.failf("Open of another node has returned %+v, want the window %+v and the limit %d", b.opened, want, a.opened.MaxRecord)
	}
	b.follow(w.First-1, nil).await(want.Last)
}

func testOpenForeign(t *trial) {
	a := t.open()
	a.store("of the first cluster")
	_, _, _ = a.beat("of the first cluster")
	f := t.unopened()
	err := t.call("Open", func() (err error) {
		f.opened, err = f.Open(t.ctx, room.OpenOptions{Cluster: cluster + "-2", Node: f.name}, f.inbox.receive)
		return err
	})
	if err != nil { // the right cluster works
		t.must(f.reopen(), "Open after an error")
		f.follow(a.opened.Window.Last, nil).await(t.log.last)
		return
	}
	if w := f.opened.Window; w.First <= w.Last {
		t.failf("the log of a new cluster holds the records %d to %d", w.First, w.Last)
	}
	// The engine has a log for each cluster. Nothing of one is seen in the other.
	if nodes, _, err := f.beat("of the other cluster"); err != nil || len(nodes) != 1 {
		t.failf("Beat in a new cluster has returned %d notes, %v", len(nodes), err)
	}
	t.must(t.call("Append", func() error {
		_, err := f.Append(t.ctx, "of the first cluster", []byte("of the other cluster"))
		return err
	}), "Append")
	t.must(t.call("Send", func() error { return f.Send(t.ctx, "", []byte("of the other cluster")) }), "Send")
	a.follow(a.opened.Window.Last, nil).await(a.store("last"))
	b := t.open()
	b.reach("", 0, a)
	if a.inbox.from(f.name) > 0 {
		t.failf("a message of another cluster was received")
	}
}

func testOpenEnded(t *trial) {
	n := t.unopened()
	ended, cancel := context.WithCancel(t.ctx)
	cancel()
	_ = t.call("Open with a context that has ended", func() error {
		_, err := n.Open(ended, room.OpenOptions{Cluster: cluster, Node: n.name}, n.inbox.receive)
		return err
	})
	n.rename()
	t.must(n.reopen(), "Open")
	l := n.follow(n.opened.Window.Last, nil)
	l.await(n.store("record"))
}

func testOpenAgain(t *trial) {
	a, b := t.open(), t.open()
	l := a.follow(a.opened.Window.Last, nil)
	l.await(a.store("before"))
	b.reach(a.name, 0, a)
	_ = l.end()
	last := a.store("meanwhile")

	opened, returned := make(chan struct{}), make(chan error, 1)
	var attempts []attempt
	go func() {
		returned <- a.publish("during Open", opened, func(o attempt) { attempts = append(attempts, o) })
	}()
	old := a.inbox
	a.rename()
	t.must(a.reopen(), "Open")
	old.end()
	close(opened)
	t.must(t.call("Append", func() error { return <-returned }), "Append during Open")
	for _, o := range attempts {
		t.stored(o.seq, o.text)
	}
	if w := a.opened.Window; w.Last < last {
		t.failf("the second Open has returned %+v; the last record has seq %d", w, last)
	}
	_ = t.call("Send", func() error { return b.Send(t.ctx, old.name, []byte("to the earlier name")) })
	b.reach(a.name, 0, a)
	b.reach("", 0, a)
	a.reach("", 0, b)
	nodes, _, err := a.beat("again")
	t.must(err, "Beat")
	if note, n := noteOf(nodes, a.name); n != 1 || string(note.Note) != "again" {
		t.failf("the list after a second Open has %d notes of %s: %q", n, a.name, note.Note)
	}
	a.follow(l.last(), nil).await(a.store("after"))
	if wrong := old.fault(); wrong != "" {
		t.failf("%s %s", old.name, wrong)
	}
}

func testOpenNames(t *trial) {
	b := t.open()
	for _, name := range []string{"A", "-", strings.Repeat("Zz_9-", 16)} {
		a := t.unopened()
		a.name = name
		a.inbox.name = name
		t.must(a.reopen(), "Open as "+name)
		b.reach(name, 0, a)
		a.reach("", 0, b)
		nodes, _, err := a.beat("note")
		t.must(err, "Beat")
		if _, n := noteOf(nodes, name); n != 1 {
			t.failf("the list has %d notes of %s", n, name)
		}
	}
}
