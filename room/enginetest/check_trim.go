package enginetest

import (
	"errors"

	"github.com/planrooms/planrooms/room"
)

const (
	ruleTrimmed = "Errors: TrimmedError if a record that should come next is no longer in the log, ErrEpoch if the log is another one than the one that Open has returned, or a record that was delivered is another one or was lost, other than by trimming."
	ruleFirst   = "First is the seq after the last gap: of the oldest record, or behind a part of the log that was damaged."
)

func trimChecks() []*check {
	return []*check{
		{name: "Trim", needs: "Trimmer", rules: []string{ruleTrimmed, ruleFirst}, test: testTrim},
		{name: "TrimAll", needs: "Trimmer", rules: []string{ruleTrimmed, ruleFirst,
			"Last is the highest seq that was given.",
		}, test: testTrimAll},
		{name: "TrimDuringTail", needs: "Trimmer", rules: []string{ruleTrimmed}, test: testTrimDuringTail},
		{name: "Hole", needs: "Holer", rules: []string{ruleTrimmed, ruleFirst}, test: testHole},
	}
}

func testTrim(t *trial) {
	a, b := t.open(), t.open()
	begin := a.opened.Window.First
	follows := a.follow(begin-1, nil)
	a.fill("record", 100)
	follows.await(t.log.last)
	first := begin + 40
	t.cluster.(Trimmer).Trim(first)
	t.wantFirst(first, t.log.last, a, b)
	for _, after := range []uint64{begin - 1, begin, first - 2} {
		t.wantTrimmed(b.follow(after, nil), first)
	}
	b.follow(first-1, nil).await(t.log.last)
	follows.await(b.store("for a Tail that has read everything before"))
}

func testTrimAll(t *trial) {
	a, b := t.open(), t.open()
	a.fill("record", 20)
	last := t.log.last
	t.cluster.(Trimmer).Trim(last + 1)
	t.wantFirst(last+1, last, a, b)
	t.wantTrimmed(b.follow(last-1, nil), last+1)
	l := b.follow(last, nil)
	if seq := a.store("next"); seq != last+1 {
		t.failf("the record after seq %d has seq %d, after the log was emptied", last, seq)
	}
	l.await(last + 1)
}

// A Tail is behind what is trimmed. It delivers what it has read, and then it fails: it never goes
// on after the gap.
func testTrimDuringTail(t *trial) {
	a, b := t.open(), t.open()
	release := make(chan struct{})
	released := false
	defer func() {
		if !released {
			close(release)
		}
	}()
	slow := b.follow(b.opened.Window.Last, func(room.Record) { <-release })
	slow.await(a.store("read before"))
	a.fill("record", 1000)
	first := t.log.last - 10
	t.cluster.(Trimmer).Trim(first)
	t.wantFirst(first, t.log.last, a)
	released = true
	close(release)
	if t.ends(slow, t.log.last) {
		t.wantTrimmed(slow, first)
	}
	b.follow(first-1, nil).await(t.log.last)
}

func testHole(t *trial) {
	a, b := t.open(), t.open()
	begin := a.opened.Window.First
	a.fill("record", 100)
	follows := a.follow(begin-1, nil)
	follows.await(t.log.last)
	for _, hole := range []uint64{begin + 30, begin + 60} {
		t.cluster.(Holer).Hole(hole)
		t.wantFirst(hole+1, t.log.last, a, b)
		t.wantTrimmed(b.follow(begin-1, nil), hole+1)
		t.wantTrimmed(b.follow(hole-1, nil), hole+1)
		b.follow(hole, nil).await(t.log.last)
	}
	follows.await(b.store("for a Tail that has read everything before"))
}

// wantFirst ends the check unless the nodes and a new one see the log from first to last.
func (t *trial) wantFirst(first, last uint64, nodes ...*node) {
	windows := []room.Window{t.open().opened.Window}
	for _, n := range nodes {
		windows = append(windows, n.window())
	}
	for _, w := range windows {
		if w.First != first || w.Last != last {
			t.failf("the window is %+v, but the log has the seqs %d to %d", w, first, last)
		}
	}
}

// wantTrimmed ends the check unless the tail fails with room.TrimmedError and a seq.
func (t *trial) wantTrimmed(l *tail, first uint64) {
	err := l.result()
	var trimmed *room.TrimmedError
	if !errors.As(err, &trimmed) || trimmed.First != first {
		t.failf("Tail after %d has returned %v, want a room.TrimmedError with seq %d", l.after, err, first)
	}
}

// ends waits until the tail has ended, or has delivered a seq. It reports whether it has ended.
func (t *trial) ends(l *tail, seq uint64) (ended bool) {
	t.await("the end of a Tail", l.change, func() bool {
		select {
		case <-l.ended:
			ended = true
			return true
		default:
			return l.last() >= seq
		}
	})
	l.check()
	return ended
}
