package natsengine

import (
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// bell wakes the tails of a session when the log has a new record.
type bell struct {
	rung atomic.Uint64 // the highest seq it has rung for

	mu    sync.Mutex // guards what follows
	tails map[chan struct{}]struct{}
}

// rang takes a message of the bell: the headers of a record.
func (b *bell) rang(m *nats.Msg) {
	if seq, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64); err == nil {
		b.ring(seq)
	}
}

// ring wakes the tails: the log has a record with this seq.
func (b *bell) ring(seq uint64) {
	for {
		old := b.rung.Load()
		if seq <= old {
			return
		}
		if b.rung.CompareAndSwap(old, seq) {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for ch := range b.tails {
		notify(ch)
	}
}

// listen has a token left in ch for each ring until the returned function is called.
func (b *bell) listen(ch chan struct{}) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tails == nil {
		b.tails = make(map[chan struct{}]struct{})
	}
	b.tails[ch] = struct{}{}
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.tails, ch)
	}
}
