// Package cost measures what it costs to serve plans from several processes: with this library and
// an engine, and with centrifuge and a broker.
package cost

import (
	"slices"

	"github.com/planrooms/planrooms/examples/compare/internal/broker"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

// Contestant is a library with the servers that connect its nodes.
type Contestant struct {
	Name     string
	Library  node.Library
	Broker   broker.Kind
	Replicas int    // NATS servers that store the log
	Stored   string // where an event is when the call that publishes it returns
}

// measures reports whether the contestant takes part in a measure. A broker that syncs its disk holds
// the same memory as without, and filling it would take minutes.
func (c Contestant) measures(m Measure) bool {
	return m != Holding || c.Broker != broker.NATSSync && c.Broker != broker.RedisSync
}

// nodes is how many nodes there are: without a broker there can be only one.
func (c Contestant) nodes() int {
	if c.Broker == broker.None {
		return 1
	}
	return clusterNodes
}

const clusterNodes = 3

// Contestants returns all of them, in the order of the tables.
func Contestants() []Contestant {
	const process = "in the memory of this process"
	return []Contestant{
		{"planrooms", node.Planrooms, broker.None, 0, process},
		{"planrooms-nats-r1", node.Planrooms, broker.NATS, 1, "in a file of one NATS server, in the page cache of its machine"},
		{"planrooms-nats-r3", node.Planrooms, broker.NATSThree, 3, "in files of two of three NATS servers, in the page caches of their machines"},
		{"planrooms-nats-r1-sync", node.Planrooms, broker.NATSSync, 1, "on the disk of one NATS server"},
		{"centrifuge", node.Centrifuge, broker.None, 0, process},
		{"centrifuge-redis", node.Centrifuge, broker.Redis, 0, "in the memory of the Redis primary"},
		{"centrifuge-redis-sync", node.Centrifuge, broker.RedisSync, 0, "on the disk of the Redis primary"},
	}
}

// Names returns the names of all contestants.
func Names() (names []string) {
	for _, c := range Contestants() {
		names = append(names, c.Name)
	}
	return names
}

// chosen returns the contestants with these names, in the order of the tables.
func chosen(names []string) []Contestant {
	return slices.DeleteFunc(Contestants(), func(c Contestant) bool { return !slices.Contains(names, c.Name) })
}
