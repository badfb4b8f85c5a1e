package enginetest_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// engine is the engine of a node, with functions that replace some of its methods.
type engine struct {
	*enginetest.MemoryEngine
	c *brokenCluster

	open   func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error)
	append func(ctx context.Context, id string, data []byte) (uint64, error)
	tail   func(ctx context.Context, after uint64, apply func([]room.Record)) error
	beat   func(ctx context.Context, note []byte) ([]room.Node, room.Window, error)
	send   func(ctx context.Context, to string, msg []byte) error
	close  func() error

	healed  atomic.Bool      // after a cut
	options room.OpenOptions // of Open
	receive func(string, []byte)
}

func (e *engine) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	e.options, e.receive = o, receive
	return e.open(ctx, o, receive)
}

func (e *engine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	return e.append(ctx, id, data)
}

func (e *engine) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	return e.tail(ctx, after, apply)
}

func (e *engine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	return e.beat(ctx, note)
}

func (e *engine) Send(ctx context.Context, to string, msg []byte) error { return e.send(ctx, to, msg) }
func (e *engine) Close() error                                          { return e.close() }

// brokenCluster is a cluster whose engines have a fault.
type brokenCluster struct {
	*memoryCluster
	restart func() // replaces Restart; nil: it does not

	mu     sync.Mutex // guards the following, for the use of the faults
	count  uint64
	seqs   map[string]uint64
	nodes  map[string]room.Node
	closed map[string]bool
	lock   sync.Mutex // around calls
}

func newBrokenCluster(plant func(*engine)) *brokenCluster {
	c := &brokenCluster{seqs: map[string]uint64{}, nodes: map[string]room.Node{}, closed: map[string]bool{}}
	c.memoryCluster = newMemoryCluster(func(m *enginetest.MemoryEngine) room.Engine {
		e := &engine{MemoryEngine: m, c: c, open: m.Open, append: m.Append, tail: m.Tail, beat: m.Beat, send: m.Send, close: m.Close}
		plant(e)
		return e
	})
	return c
}

func (c *brokenCluster) Restart() {
	if c.restart != nil {
		c.restart()
	} else {
		c.memoryCluster.Restart()
	}
}

func (c *brokenCluster) Heal(e room.Engine) {
	c.memoryCluster.Heal(e)
	e.(*engine).healed.Store(true)
}

// next counts from 1 on.
func (c *brokenCluster) next() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	return c.count
}

// each replaces Tail by one that passes on what f makes of each batch.
func (e *engine) each(f func([]room.Record) []room.Record) {
	e.tail = func(ctx context.Context, after uint64, apply func([]room.Record)) error {
		return e.MemoryEngine.Tail(ctx, after, func(records []room.Record) {
			if records = f(slices.Clone(records)); len(records) > 0 {
				apply(records)
			}
		})
	}
}

// windows replaces the windows that Open and Beat return.
func (e *engine) windows(f func(room.Window) room.Window) {
	e.open = func(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
		opened, err := e.MemoryEngine.Open(ctx, o, receive)
		opened.Window = f(opened.Window)
		return opened, err
	}
	e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
		nodes, w, err := e.MemoryEngine.Beat(ctx, note)
		return nodes, f(w), err
	}
}

// lists replaces the lists that Beat returns.
func (e *engine) lists(f func([]room.Node) []room.Node) {
	e.beat = func(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
		nodes, w, err := e.MemoryEngine.Beat(ctx, note)
		return f(nodes), w, err
	}
}

// reopen opens the log again, as the hub does after room.ErrEpoch.
func (e *engine) reopen(ctx context.Context) {
	_, _ = e.MemoryEngine.Open(ctx, e.options, e.receive)
}

// fault is a mistake in an engine.
type fault struct {
	name   string
	plant  func(*engine)
	checks string // the names of those that find it
}

var allLosses = "LoseTail LoseTailRefilled Restore RestoreRefilled Wipe WipeRefilled"

func faults() []fault {
	return slices.Concat(openFaults(), appendFaults(), tailFaults(), lossFaults(), beatFaults(), sendFaults(), callFaults())
}

// Each fault is found by its checks, and each check finds a fault. In a bubble, a check that waits
// in vain takes no time.
func TestPlantedFaults(t *testing.T) {
	checks := map[string]enginetest.Check{}
	for _, c := range enginetest.Checks() {
		checks[c.Name] = c
	}
	found := map[string]bool{}
	for _, f := range faults() {
		for _, name := range strings.Fields(f.checks) {
			found[name] = true
			t.Run(strings.ReplaceAll(f.name, " ", "_")+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					err := checks[name].On(newBrokenCluster(f.plant))
					if err == nil {
						t.Error("the check has not found the fault")
					}
					t.Log(err)
					time.Sleep(2 * time.Hour) // until what the faults have left has ended
				})
			})
		}
	}
	for name := range checks {
		if !found[name] {
			t.Errorf("no fault shows that the check %s can fail", name)
		}
	}
}
