package natsengine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/room/natsengine"
)

// appendLarge appends records of a size.
func appendLarge(t *testing.T, e *natsengine.Engine, n, size int) {
	t.Helper()
	for i := range n {
		if _, err := e.Append(within(t), fmt.Sprint("id-", i), make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
}

// A Tail reads on behind a record that alone is as large as a batch.
func TestTailLargeRecords(t *testing.T) {
	m := one(t, func(o *server.Options) { o.MaxPayload = 4 << 20 })
	e, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	const records, size = 4, 1 << 20
	appendLarge(t, e, records, size)
	for after := range uint64(records) {
		follow(t, e, after).wait(records - int(after))
	}
}

// On a slow connection batches are small, also if the records are not.
func TestTailLargeRecordsOnSlowConnection(t *testing.T) {
	m := one(t, nil)
	fast, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	const records, size = 10, 250 << 10
	appendLarge(t, fast, records, size)
	p := newProxy(t, m)
	slow, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "b")
	p.setRate(400 << 10)
	follow(t, slow, 0).wait(records)
	if n := p.bytes(); n > 3*records*size {
		t.Errorf("the server has sent %d bytes for records of %d", n, records*size)
	}
}

// A single record may take longer than an attempt does otherwise.
func TestSlowLargeRecord(t *testing.T) {
	m := one(t, nil)
	fast, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	p := newProxy(t, m)
	slow, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "b")
	p.setRate(100 << 10)
	appendLarge(t, fast, 1, 250<<10)
	follow(t, slow, 0).wait(1)
	ctx, cancel := context.WithTimeout(t.Context(), 12*time.Second)
	defer cancel()
	if _, _, err := slow.Beat(ctx, []byte("note")); err != nil {
		t.Error(err)
	}
}
