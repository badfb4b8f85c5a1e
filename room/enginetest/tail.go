package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/planrooms/planrooms/room"
)

// tail is a running Tail of a node. As the hub does, it calls Tail again after an error that
// permits that.
type tail struct {
	t       *trial
	log     *book // what it has to deliver
	after   uint64
	hook    func(room.Record) // called for each record; may block; nil: none
	cancel  context.CancelFunc
	ended   chan struct{} // closed when it has ended
	err     error         // readable then
	mu      sync.Mutex    // guards the following
	records []room.Record
	copies  []string      // their data, as it was
	changed chan struct{} // closed when a record comes
}

// follow starts a tail.
func (n *node) follow(after uint64, hook func(room.Record)) *tail {
	ctx, cancel := context.WithCancel(n.t.ctx)
	l := &tail{t: n.t, log: n.t.log, after: after, hook: hook, cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer l.wake(true)
		for {
			l.err = n.Tail(ctx, l.last(), l.apply)
			if ctx.Err() != nil || errors.Is(l.err, room.ErrEpoch) || errors.Is(l.err, room.ErrTrimmed) || !n.t.pause() {
				return
			}
		}
	}()
	return l
}

func (l *tail) apply(records []room.Record) {
	for _, r := range records {
		l.mu.Lock()
		l.records = append(l.records, r)
		l.copies = append(l.copies, string(r.Data))
		l.mu.Unlock()
		l.wake(false)
		if l.hook != nil {
			l.hook(r)
		}
	}
}

// wake wakes await, when a record has come or the tail has ended.
func (l *tail) wake(ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ended {
		close(l.ended)
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// last returns the seq of the newest record, at first the one after which the tail began.
func (l *tail) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.records) == 0 {
		return l.after
	}
	return l.records[len(l.records)-1].Seq
}

// await waits until the tail has delivered a seq, and checks what it has delivered.
func (l *tail) await(seq uint64) {
	l.t.await(fmt.Sprintf("Tail after %d delivers seq %d", l.after, seq), l.change, func() bool {
		select {
		case <-l.ended:
			l.t.failf("Tail has returned: %v", l.err)
		default:
		}
		return l.last() >= seq
	})
	l.check()
}

// change returns a channel that is closed when a record has come, or the tail has ended.
func (l *tail) change() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// check ends the check unless the tail has delivered the records of the book, without a gap.
func (l *tail) check() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range l.records {
		want, known := l.log.records[r.Seq]
		switch {
		case r.Seq != l.after+1+uint64(i):
			l.t.failf("Tail after %d has delivered seq %d where %d had to come", l.after, r.Seq, l.after+1+uint64(i))
		case !bytes.Equal(r.Data, []byte(l.copies[i])):
			l.t.failf("the data of seq %d has changed after its delivery", r.Seq)
		case known && want != l.copies[i]:
			l.t.failf("seq %d has the data %s, want %s", r.Seq, brief(l.copies[i]), brief(want))
		}
	}
}

// result waits until Tail has returned.
func (l *tail) result() error {
	l.t.must(l.t.call("Tail", func() error { <-l.ended; return nil }), "Tail")
	l.check()
	return l.err
}

// end ends the context of Tail, and waits until it has returned.
func (l *tail) end() error {
	l.cancel()
	return l.result()
}

// texts returns the data of the records that were delivered.
func (l *tail) texts() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.copies)
}
