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
	p.setDeaf()
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
