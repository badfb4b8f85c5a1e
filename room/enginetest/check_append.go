package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

const (
	ruleAppend    = "Append stores data as a record at the end of the log, and returns its seq."
	ruleSameID    = "A second call with the same ID within DedupWindow stores nothing and returns the seq of the first."
	ruleStored    = "Once Append has returned nil, every Tail delivers the record, unless the epoch changes."
	ruleRepeats   = "It repeats failed attempts until ctx ends."
	ruleUncertain = "After ErrUncertain the record may be stored, now or later; after any other error it is not and will not be."
	ruleCtx       = "A method returns soon after its context ends."
)

func appendChecks() []*check {
	return []*check{
		{name: "AppendOrder", rules: []string{ruleAppend, ruleStored,
			"Every node applies all records in order, so a join, Hub.Position and a resume need no call of the engine.",
			"Its records have the seqs from First to Last without gaps; there are none if First is Last+1.",
		}, test: testAppendOrder},
		{name: "AppendStored", rules: []string{ruleStored}, test: testAppendStored},
		{name: "AppendSameID", rules: []string{ruleSameID}, test: testAppendSameID},
		{name: "AppendSameIDAtOnce", rules: []string{ruleSameID}, test: testAppendSameIDAtOnce},
		{name: "AppendSizes", rules: []string{
			"MaxRecord is the size of the largest record that can be stored, in bytes.", ruleUncertain,
		}, test: testAppendSizes},
		{name: "AppendEnded", rules: []string{ruleCtx, ruleUncertain, ruleSameID}, test: testAppendEnded},
		{name: "AppendCut", needs: "Cutter", rules: []string{ruleCtx, ruleUncertain, ruleSameID}, test: testAppendCut},
		{name: "AppendRepeats", needs: "Cutter", rules: []string{ruleRepeats}, test: testAppendRepeats},
		{name: "AppendStalled", needs: "Staller", rules: []string{ruleCtx, ruleUncertain, ruleSameID}, test: testAppendStalled},
	}
}

// Eight publishers on three nodes. Each Tail, from the start or begun meanwhile, delivers the same.
func testAppendOrder(t *trial) {
	nodes := []*node{t.open(), t.open(), t.open()}
	first := nodes[0].opened.Window.First
	var tails []*tail
	for _, n := range nodes {
		tails = append(tails, n.follow(first-1, nil))
	}
	const publishers, records = 8, 40
	var mu sync.Mutex // guards seqs
	seqs := map[uint64]string{}
	t.each("Append", publishers, func(p int) error {
		n := nodes[p%len(nodes)]
		before := uint64(0)
		for i := range records {
			text := fmt.Sprintf("publisher %d record %d", p, i)
			seq, err := n.Append(t.ctx, text, []byte(text))
			if err != nil {
				return err
			}
			if seq <= before {
				return fmt.Errorf("seq %d was given after %d", seq, before)
			}
			before = seq
			mu.Lock()
			other := seqs[seq]
			seqs[seq] = text
			mu.Unlock()
			if other != "" {
				return fmt.Errorf("two records have seq %d: %q and %q", seq, other, text)
			}
		}
		return nil
	})
	for seq, text := range seqs {
		t.stored(seq, text)
	}
	t.dense(first)
	for _, n := range nodes {
		tails = append(tails, n.follow(first+100, nil))
	}
	for _, l := range tails {
		l.await(t.log.last)
	}
	if w := nodes[0].window(); w.First != first || w.Last != t.log.last {
		t.failf("Beat has returned %+v; the log has the seqs %d to %d", w, first, t.log.last)
	}
}

// As soon as Append returns, the record is in the window of another node, and in its Tail.
func testAppendStored(t *trial) {
	a, b := t.open(), t.open()
	for i := range 20 {
		seq := a.store(fmt.Sprint("record ", i))
		if w := b.window(); w.Last < seq {
			t.failf("after Append has returned seq %d, the last seq is %d", seq, w.Last)
		}
		l := b.follow(seq-1, nil)
		l.await(seq)
		_ = l.end()
	}
}

func testAppendSameID(t *trial) {
	a, b := t.open(), t.open()
	first := a.store("one")
	a.store("two")
	for _, n := range []*node{a, b, t.open()} {
		if seq := n.store("one"); seq != first {
			t.failf("a record with seq %d has got seq %d in a second call with its ID", first, seq)
		}
	}
	b.store("three")
	t.wantOnce(a.opened.Window.First-1, b)
}

// Many calls at once with the same ID, among others, on several nodes.
func testAppendSameIDAtOnce(t *trial) {
	nodes := []*node{t.open(), t.open(), t.open()}
	for round := range 20 {
		const calls = 12
		seqs := make([]uint64, calls)
		texts := make([]string, calls)
		t.each("Append", calls, func(i int) (err error) {
			texts[i] = fmt.Sprintf("round %d", round)
			if i%4 == 3 {
				texts[i] = fmt.Sprintf("round %d call %d", round, i)
			}
			seqs[i], err = nodes[i%len(nodes)].Append(t.ctx, texts[i], []byte(texts[i]))
			return err
		})
		for i, seq := range seqs {
			if texts[i] == texts[0] && seq != seqs[0] {
				t.failf("calls with one ID have got the seqs %d and %d", seqs[0], seq)
			}
			t.stored(seq, texts[i])
		}
	}
	t.dense(nodes[0].opened.Window.First)
	t.wantOnce(nodes[0].opened.Window.First-1, nodes[1])
}

// wantOnce ends the check if the log has a text twice after a seq. It appends a last record, so
// that it sees everything before.
func (t *trial) wantOnce(after uint64, n *node) {
	l := n.follow(after, nil)
	l.await(n.store(fmt.Sprint("the end, after ", t.log.last)))
	seen := map[string]uint64{}
	for i, text := range l.texts() {
		seq := after + 1 + uint64(i)
		if seen[text] > 0 {
			t.failf("seqs %d and %d both have the record %s", seen[text], seq, brief(text))
		}
		seen[text] = seq
	}
	_ = l.end()
}

func testAppendSizes(t *trial) {
	a, b := t.open(), t.open()
	l := b.follow(b.opened.Window.Last, nil)
	data := []byte(strings.Repeat("\x00\xff", a.opened.MaxRecord)[:a.opened.MaxRecord+1])
	seq, err := a.tryAppend(t.ctx, "largest", data[:a.opened.MaxRecord])
	t.must(err, "Append of MaxRecord bytes")
	t.stored(seq, string(data[:a.opened.MaxRecord]))
	_, err = a.tryAppend(t.ctx, "too large", data)
	if err == nil || errors.Is(err, room.ErrUncertain) || t.ctx.Err() != nil {
		t.failf("Append of MaxRecord+1 bytes has returned %v, want an error other than ErrUncertain, at once", err)
	}
	if next := a.store("small"); next != seq+1 {
		t.failf("the record after seq %d has seq %d", seq, next)
	}
	l.await(t.log.last)
}

func (n *node) tryAppend(ctx context.Context, id string, data []byte) (seq uint64, err error) {
	err = n.t.call("Append", func() (err error) {
		seq, err = n.Append(ctx, id, data)
		return err
	})
	return seq, err
}

// attempt is an Append whose context ends early.
type attempt struct {
	text string
	seq  uint64
	err  error
}

// settle repeats attempts whose outcome is uncertain, and then compares all with the log: a record
// is in it once, except after an error that says that it is not stored.
func (t *trial) settle(n *node, after uint64, attempts []attempt) {
	for _, a := range attempts {
		if a.err == nil {
			t.stored(a.seq, a.text)
		}
		if a.err == nil || errors.Is(a.err, room.ErrUncertain) {
			if seq := n.store(a.text); a.err == nil && seq != a.seq {
				t.failf("a record with seq %d has got seq %d in a second call with its ID", a.seq, seq)
			}
		}
	}
	t.wantOnce(after, n)
	l := n.follow(after, nil)
	l.await(t.log.last)
	_ = l.end()
	for _, a := range attempts {
		for _, text := range l.texts() {
			if text == a.text && a.err != nil && !errors.Is(a.err, room.ErrUncertain) {
				t.failf("the record %s is stored, although Append has returned the error %w", brief(text), a.err)
			}
		}
	}
}

// Contexts that end before, during and after the call.
func testAppendEnded(t *trial) {
	nodes := []*node{t.open(), t.open()}
	random := rand.New(rand.NewPCG(1, 2))
	var attempts []attempt
	for i := range 100 {
		ctx, cancel := context.WithCancel(t.ctx)
		a := attempt{text: fmt.Sprint("attempt ", i)}
		returned := make(chan attempt, 1)
		wait := time.Duration(random.IntN(2000)) * time.Microsecond
		switch {
		case i%10 == 0:
			cancel()
		case i%10 == 1:
			wait = 0
		}
		go func() {
			a.seq, a.err = nodes[i%2].Append(ctx, a.text, []byte(a.text))
			returned <- a
		}()
		timer := time.NewTimer(wait)
		select {
		case a = <-returned:
		case <-timer.C:
			cancel()
			t.must(t.call("Append with a context that has ended", func() error { a = <-returned; return nil }), "Append")
		}
		cancel()
		timer.Stop()
		attempts = append(attempts, a)
	}
	t.settle(nodes[0], nodes[0].opened.Window.First-1, attempts)
}

// After a cut, an Append fails at the end of its context. What it says about the record is true,
// and a second call finds out.
func testAppendCut(t *trial) {
	a, b := t.open(), t.open()
	cutter := t.cluster.(Cutter)
	a.store("before")
	var attempts []attempt
	for i := range 3 {
		cutter.Cut(a.Engine)
		attempts = append(attempts, a.briefAppend(fmt.Sprint("during the cut ", i)))
		cutter.Heal(a.Engine)
		a.store(fmt.Sprint("after the cut ", i))
	}
	for _, c := range attempts {
		if c.err == nil {
			t.failf("Append has returned nil, although the connection was cut")
		}
	}
	t.settle(b, a.opened.Window.First-1, attempts)
}

// briefAppend calls Append with a context that ends after 300 ms.
func (n *node) briefAppend(text string) attempt {
	ctx, cancel := context.WithTimeout(n.t.ctx, 300*time.Millisecond)
	defer cancel()
	seq, err := n.tryAppend(ctx, text, []byte(text))
	if err != nil {
		<-ctx.Done() // if it has given up early
	}
	return attempt{text, seq, err}
}

func testAppendRepeats(t *trial) {
	a := t.open()
	cutter := t.cluster.(Cutter)
	a.store("before")
	cutter.Cut(a.Engine)
	returned := make(chan attempt, 1)
	go func() {
		seq, err := a.Append(t.ctx, "repeated", []byte("repeated"))
		returned <- attempt{"repeated", seq, err}
	}()
	failed := a.briefAppend("not repeated") // so that attempts of the other call have failed, too
	cutter.Heal(a.Engine)
	t.must(t.call("Append", func() error {
		r := <-returned
		t.stored(r.seq, r.text)
		return r.err
	}), "Append during a cut that has ended")
	t.settle(a, a.opened.Window.First-1, []attempt{failed})
}

// A record that is held up may be stored after its Append has failed. A second call gets the same
// record.
func testAppendStalled(t *trial) {
	a, b := t.open(), t.open()
	staller := t.cluster.(Staller)
	a.store("before")
	staller.Stall(a.Engine)
	stalled := a.briefAppend("stalled")
	if stalled.err == nil {
		t.failf("Append has returned nil, although nothing has passed the connection")
	}
	b.store("newer")
	staller.Release(a.Engine)
	t.settle(a, a.opened.Window.First-1, []attempt{stalled})
}
