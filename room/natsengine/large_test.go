package natsengine_test

import (
	"fmt"
	"testing"

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
	if _, _, err := slow.Beat(within(t), []byte("note")); err != nil {
		t.Error(err)
	}
}

// While no record comes, a Tail does not read a large one again at each tick.
func TestIdleBehindALargeRecord(t *testing.T) {
	m := one(t, nil)
	p := newProxy(t, m)
	e, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "a")
	const size = 250 << 10
	appendLarge(t, e, 1, size)
	f := follow(t, e, 0)
	f.wait(1)
	reads, err := newAdmin(t, m).js.Conn().SubscribeSync("$JS.API.DIRECT.GET.planrooms_log")
	if err != nil {
		t.Fatal(err)
	}
	p.setRate(0)
	for range 3 {
		if _, err := reads.NextMsgWithContext(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	if n := p.bytes(); n >= size {
		t.Errorf("the server has sent %d bytes", n)
	}
	if _, err := e.Append(within(t), "next", nil); err != nil {
		t.Fatal(err)
	}
	f.wait(2)
}
