package enginetest

import "fmt"

// Check is a check, for the tests of the checks.
type Check struct {
	Name  string
	Rules []string
	c     *check
}

// Checks returns the checks of Run.
func Checks() (all []Check) {
	for _, c := range checks() {
		all = append(all, Check{c.name, c.rules, c})
	}
	return all
}

// On runs the check on a cluster, and returns what is wrong.
func (c Check) On(cluster Cluster) error {
	if !c.c.fits(cluster) {
		return fmt.Errorf("the cluster has no %s", c.c.needs)
	}
	return c.c.on(cluster)
}
