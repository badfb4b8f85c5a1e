package enginetest

import (
	"slices"
	"testing"
)

// Run tests the engines of clusters against the contract of [room.Engine], each check in a subtest.
// create is called for each of them, and returns a cluster with its own log; the clusters may
// use the same servers, except for those with faults. It may use its t for cleanups, and may skip
// or fail it.
//
// A check that needs a fault which the Cluster does not have is skipped; the reason names the
// interface. Checks wait up to two minutes, for stores that need time after the loss of a server.
func Run(t *testing.T, create func(t *testing.T) Cluster) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			cluster := create(t)
			if !c.fits(cluster) {
				t.Skipf("the cluster is not an enginetest.%s", c.needs)
			}
			if err := c.on(cluster); err != nil {
				t.Errorf("%v\n\nroom.Engine says: %q", err, c.rules)
			}
		})
	}
}

// check tests rules of room.Engine.
type check struct {
	name  string
	rules []string // sentences of the contract
	needs string   // the fault that a cluster must have; "": none
	test  func(*trial)
}

// checks returns all checks.
func checks() []*check {
	return slices.Concat(openChecks(), appendChecks(), tailChecks(), trimChecks(), lossChecks(), beatChecks(), sendChecks(), callChecks(), chaosChecks())
}

// fits reports whether the cluster has what the check needs.
func (c *check) fits(cluster Cluster) bool { return c.needs == "" || hasFault[c.needs](cluster) }

// hasFault has the names of the faults, and whether a cluster has them.
var hasFault = map[string]func(Cluster) bool{
	"Restarter": is[Restarter],
	"Cutter":    is[Cutter],
	"Staller":   is[Staller],
	"Trimmer":   is[Trimmer],
	"Holer":     is[Holer],
	"LogLoser":  is[LogLoser],
	"Restorer":  is[Restorer],
	"Wiper":     is[Wiper],
}

func is[T any](c Cluster) bool {
	_, ok := c.(T)
	return ok
}
