// Package node is one server process of a cluster, and how the process that measures talks to it:
// by a line of JSON for each request and for each answer, one after the other.
package node

import "time"

// Config says what a node is.
type Config struct {
	Library  Library `json:"library"`
	Broker   string  `json:"broker"`   // host:port; "" for a node without a broker
	Replicas int     `json:"replicas"` // NATS servers that store the log
	Number   int     `json:"number"`   // of the node, from 0 on
}

// Library is the library that a node uses.
type Library string

// The libraries.
const (
	Planrooms  Library = "planrooms"
	Centrifuge Library = "centrifuge"
)

// request is what a node is to do. One field is set.
type request struct {
	View    *View    `json:"view,omitempty"`
	Present *Present `json:"present,omitempty"`
	Publish *Publish `json:"publish,omitempty"`
	Await   *Await   `json:"await,omitempty"`
	Collect bool     `json:"collect,omitempty"`
}

// answer has the result of a request, in the field for it.
type answer struct {
	Err       string    `json:"err,omitempty"`
	Published Published `json:"published,omitzero"`
	Viewed    Viewed    `json:"viewed,omitzero"`
	Memory    Memory    `json:"memory,omitzero"`
}

// View connects a viewer to each of the first plans. Before, the viewers that there are leave.
type View struct {
	Plans int  `json:"plans"`
	Timed bool `json:"timed"` // note when each event arrives
}

// Present waits until each of the first plans has a number of viewers on all nodes together, as far
// as the node knows, and its viewers have been told. It fails if that takes too long. A library
// that does not tell the viewers of a plan about each other waits for nothing.
type Present struct {
	Plans   int `json:"plans"`
	Viewers int `json:"viewers"` // of each plan
}

// Publish publishes events to the first plans in turn, until For has passed or there are Events.
type Publish struct {
	Plans      int           `json:"plans"`
	Publishers int           `json:"publishers"` // goroutines, each with one event at a time
	For        time.Duration `json:"for"`        // 0: no limit
	Events     int64         `json:"events"`     // 0: no limit
	// A publisher begins an event this long after the one before, or when that is done, if that is
	// later. What a slow call has delayed is not caught up.
	Every time.Duration `json:"every"`
	Size  int           `json:"size"`  // of the task, in bytes
	Timed bool          `json:"timed"` // measure each call, from when it really begins
}

// Published is what a node has published.
type Published struct {
	Count int64  `json:"count"`
	Sum   int64  `json:"sum"`   // of the numbers of the events
	Seq   uint64 `json:"seq"`   // the highest in the log of the cluster; 0 without one
	Begun int64  `json:"begun"` // nanoseconds since 1970
	Ended int64  `json:"ended"` // as above
	Calls Times  `json:"calls"` // of the calls that publish, if they were timed
}

// Await waits until the viewers have a number of events, or nothing has arrived for some seconds,
// and then until the node has applied the log up to a seq. It fails if that takes too long.
type Await struct {
	Count int64  `json:"count"`
	Seq   uint64 `json:"seq"`
}

// Viewed is what the viewers of a node have received since the last View.
type Viewed struct {
	Count int64  `json:"count"`
	Sum   int64  `json:"sum"`   // of the numbers of the events
	Order uint64 `json:"order"` // a hash of the order in which each viewer received its events
	// Events that a viewer had received before.
	Doubled int64 `json:"doubled,omitempty"`
	Astray  int64 `json:"astray,omitempty"` // events of other plans than the viewer's
	// Requests to load the plan again, and connections that the node has closed.
	Broken int64 `json:"broken"`
	Last   int64 `json:"last"`  // when the last one arrived, in nanoseconds since 1970
	Times  Times `json:"times"` // from the call that published until it arrived, if timed
}

// Memory is what a node holds after a garbage collection that returns memory to the system, in
// bytes.
type Memory struct {
	Heap int64 `json:"heap"`
	RSS  int64 `json:"rss"`
}

// Times are quantiles of measured times, in microseconds.
type Times struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}
