package enginetest_test

import (
	"testing"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// memoryCluster is a Memory with all faults. wrap, if it is not nil, changes its engines.
type memoryCluster struct {
	*enginetest.Memory
	wrap     func(*enginetest.MemoryEngine) room.Engine
	engines  map[room.Engine]*enginetest.MemoryEngine
	stalled  map[room.Engine]*enginetest.Stalled
	snapshot *enginetest.Snapshot
}

func newMemoryCluster(wrap func(*enginetest.MemoryEngine) room.Engine) *memoryCluster {
	return &memoryCluster{
		Memory:  enginetest.NewMemory(nil),
		wrap:    wrap,
		engines: map[room.Engine]*enginetest.MemoryEngine{},
		stalled: map[room.Engine]*enginetest.Stalled{},
	}
}

func (c *memoryCluster) Engine() room.Engine {
	e := c.Memory.Engine()
	var wrapped room.Engine = e
	if c.wrap != nil {
		wrapped = c.wrap(e)
	}
	c.engines[wrapped] = e
	return wrapped
}

func (c *memoryCluster) Cut(e room.Engine)     { c.engines[e].Cut() }
func (c *memoryCluster) Heal(e room.Engine)    { c.engines[e].Heal() }
func (c *memoryCluster) Stall(e room.Engine)   { c.stalled[e] = c.engines[e].Stall() }
func (c *memoryCluster) Release(e room.Engine) { c.stalled[e].Deliver() }
func (c *memoryCluster) Snapshot()             { c.snapshot = c.Memory.Snapshot() }
func (c *memoryCluster) Restore()              { c.Memory.Restore(c.snapshot) }

// Restart restarts the only server: for a moment, no connection works.
func (c *memoryCluster) Restart() {
	for _, e := range c.engines {
		e.Cut()
	}
	for _, e := range c.engines {
		e.Heal()
	}
}

func TestMemory(t *testing.T) {
	enginetest.Run(t, func(*testing.T) enginetest.Cluster { return newMemoryCluster(nil) })
}
