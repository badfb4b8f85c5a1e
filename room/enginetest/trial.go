package enginetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/room"
)

// trial is one run of a check. Its methods, and those of node and tail, end the check if something
// is wrong: they panic with a failure, which check.on returns as an error.
type trial struct {
	cluster Cluster
	ctx     context.Context // ends with the time limit of the check
	late    context.Context // ends later: a call that has not returned by then hangs
	nodes   []*node
	log     *book
	sent    int // messages of reach
}

// failure is why a check has ended.
type failure struct{ error }

// The time limits of a check. They are long because a store may take some seconds to get over the
// loss of a server.
const (
	checkLimit = 2 * time.Minute
	callLimit  = checkLimit + 15*time.Second
)

// on runs the check on a cluster. It returns what is wrong with its engines.
func (c *check) on(cluster Cluster) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), checkLimit)
	defer cancel()
	t := &trial{cluster: cluster, ctx: ctx, log: &book{records: map[uint64]string{}}}
	err = t.run(c.test)
	cancel() // ends what the check has left
	return errors.Join(err, t.run((*trial).close))
}

// run calls f, and returns why it has ended.
func (t *trial) run(f func(*trial)) (err error) {
	var cancel context.CancelFunc
	t.late, cancel = context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case failure:
			err = r.error
		default:
			panic(r)
		}
	}()
	f(t)
	return nil
}

// failf ends the check. Only the goroutine of the check may call it.
func (t *trial) failf(format string, args ...any) {
	panic(failure{fmt.Errorf(format, args...)})
}

// must ends the check if err is not nil.
func (t *trial) must(err error, doing string) {
	if err != nil {
		t.failf("%s: %w", doing, err)
	}
}

// call runs f in a goroutine. It ends the check if f hangs.
func (t *trial) call(what string, f func() error) error {
	returned := make(chan error, 1)
	go func() { returned <- f() }()
	select {
	case err := <-returned:
		return err
	case <-t.late.Done():
		t.failf("%s does not return", what)
		return nil
	}
}

// each runs f n times at once. It ends the check if one of them fails or hangs.
func (t *trial) each(what string, n int, f func(i int) error) {
	returned := make(chan error, n)
	for i := range n {
		go func() { returned <- f(i) }()
	}
	for range n {
		t.must(t.call(what, func() error { return <-returned }), what)
	}
}

// await waits until ok returns true; changed returns a channel that is closed when it may have
// changed. It ends the check after its time limit.
func (t *trial) await(what string, changed func() <-chan struct{}, ok func() bool) {
	for {
		c := changed()
		if ok() {
			return
		}
		select {
		case <-c:
		case <-t.ctx.Done():
			t.failf("not within %v: %s", checkLimit, what)
		}
	}
}

// wait waits for some milliseconds. It returns false after the time limit.
func (t *trial) wait(ms int) bool {
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-t.ctx.Done():
		return false
	}
}

// pause waits for a moment before a further attempt. It returns false after the time limit.
func (t *trial) pause() bool { return t.wait(5) }

// close closes the engines, and checks what the nodes have received.
func (t *trial) close() {
	for _, n := range t.nodes {
		n.close()
	}
	for _, n := range t.nodes {
		if wrong := n.inbox.fault(); wrong != "" {
			t.failf("%s %s", n.name, wrong)
		}
	}
}

// book is what the check knows to be in the log.
type book struct {
	records map[uint64]string
	last    uint64
}

// stored notes a record. It ends the check if the seq was given twice.
func (t *trial) stored(seq uint64, data string) {
	if old, ok := t.log.records[seq]; ok && old != data {
		t.failf("the records %s and %s both have seq %d", brief(old), brief(data), seq)
	}
	t.log.records[seq] = data
	t.log.last = max(t.log.last, seq)
}

// lose replaces the book by one with the records up to a seq. Tails that have begun keep the old
// one.
func (t *trial) lose(left uint64) {
	kept := &book{records: map[uint64]string{}, last: left}
	for seq, data := range t.log.records {
		if seq <= left {
			kept.records[seq] = data
		}
	}
	t.log = kept
}

// dense ends the check unless the book has all seqs from first to the last.
func (t *trial) dense(first uint64) {
	for seq := first; seq <= t.log.last; seq++ {
		if _, ok := t.log.records[seq]; !ok {
			t.failf("no record has seq %d, but %d was given", seq, t.log.last)
		}
	}
}

// brief shortens data for a message.
func brief(data string) string {
	if len(data) > 40 {
		return fmt.Sprintf("%q... (%d bytes)", data[:40], len(data))
	}
	return fmt.Sprintf("%q", data)
}

// wantEpoch ends the check unless err is room.ErrEpoch.
func (t *trial) wantEpoch(err error, call string) {
	if !errors.Is(err, room.ErrEpoch) {
		t.failf("%s: %v, want room.ErrEpoch", call, err)
	}
}
