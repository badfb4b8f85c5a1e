package enginetest_test

import (
	"testing"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// cluster is a cluster without faults.
type cluster struct{ store *enginetest.Memory }

func newCluster(*testing.T) cluster { return cluster{enginetest.NewMemory(nil)} }

// Engine implements [enginetest.Cluster].
func (c cluster) Engine() room.Engine { return c.store.Engine() }

// TestEngine is the test of an engine in another module. TestMemory also has the checks with faults.
func TestEngine(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) enginetest.Cluster { return newCluster(t) })
}
