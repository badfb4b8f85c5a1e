package enginetest

import (
	"slices"
	"testing"
)

// Run tests the engines of clusters against the contract of [room.Engine], each rule in a subtest.
// create is called for each of them, and returns a cluster with its own log; the clusters may
// use the same servers, except for those with faults. It may use its t for cleanups, and may skip
// or fail it.
//
// A check that needs a fault which the Cluster does not have is skipped; the reason names the
// interface. Checks wait up to a minute, for stores that need time after the loss of a server.
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
func (c *check) fits(cluster Cluster) (ok bool) {
	switch c.needs {
	case "":
		ok = true
	case "Restarter":
		_, ok = cluster.(Restarter)
	case "Cutter":
		_, ok = cluster.(Cutter)
	case "Staller":
		_, ok = cluster.(Staller)
	case "Trimmer":
		_, ok = cluster.(Trimmer)
	case "Holer":
		_, ok = cluster.(Holer)
	case "LogLoser":
		_, ok = cluster.(LogLoser)
	case "Restorer":
		_, ok = cluster.(Restorer)
	case "Wiper":
		_, ok = cluster.(Wiper)
	}
	return ok
}
