package natsengine_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/planrooms/planrooms/room/natsengine"
)

// A server that does not read any more, as one that is suspended, does not stop the engine: it
// connects again, here to a server that reads.
func TestServerDoesNotRead(t *testing.T) {
	p := newProxy(t, one(t, nil))
	e, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "n-1")
	p.stopReading()
	var done sync.WaitGroup
	for i := range 32 { // more than the buffers of the connection hold
		done.Go(func() {
			if _, err := e.Append(within(t), fmt.Sprint("id-", i), make([]byte, 256<<10)); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

// What a slow connection takes long for is not requested again before it has arrived.
func TestSlowConnection(t *testing.T) {
	m := one(t, nil)
	fast, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "n-1")
	const records, size = 20, 25 << 10
	for i := range records {
		if _, err := fast.Append(within(t), fmt.Sprint("id-", i), make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	p := newProxy(t, m)
	slow, _ := open(t, natsengine.Options{Servers: []string{p.url()}}, "n-2")
	p.setRate(100 << 10)
	follow(t, slow, 0).wait(records)
	if n := p.bytes(); n > 2*records*size {
		t.Errorf("the server has sent %d bytes for records of %d", n, records*size)
	}
}
