package room

import (
	"cmp"
	"slices"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// ClusterInfo describes a node and what it knows of the others. See [Hub.Cluster].
type ClusterInfo struct {
	Node    string `json:"node"`    // name of this node in the engine; "" before it is open
	Epoch   string `json:"epoch"`   // of the positions; "" while the node does not know it
	Applied uint64 `json:"applied"` // all records up to this seq are in the rooms
	// First and Last are the first and the last seq of the log at the last beat.
	First  uint64 `json:"first"`
	Last   uint64 `json:"last"`
	Open   bool   `json:"open"`   // the gate: the node may write events to clients
	Tenure uint64 `json:"tenure"` // number of the current tenure, or of the last one; 0: none yet
	// TenureLeft is how long the gate stays open without a further beat, in nanoseconds; 0 if it is
	// shut.
	TenureLeft time.Duration `json:"tenureLeft"`
	// Uncertain counts the plans with events that this node could not store, or that may not be
	// stored. Their clients load the plans as soon as the engine answers. After some 16,000 plans
	// it counts all others as one.
	Uncertain int `json:"uncertain"`
	// Nodes are the nodes that have a note, by name, with this one. The caller owns the slice.
	Nodes []NodeInfo `json:"nodes"`
}

// NodeInfo is what the last note of a node says.
type NodeInfo struct {
	Name    string `json:"name"` // in the engine
	Host    string `json:"host"` // Options.Node
	Epoch   string `json:"epoch"`
	Applied uint64 `json:"applied"` // when it stored the note
	Tenure  uint64 `json:"tenure"`
	Open    bool   `json:"open"` // its gate was open
	// Ended is whether calls such as Revoke no longer wait for the node: it has shut down, has
	// ended its tenure, or has stored no note for 12 s. It is false for a node that has just
	// started and has no tenure yet.
	Ended bool      `json:"ended"`
	Seen  time.Time `json:"seen"` // when this node has first seen the note, by its wall clock
}

// seenNode is a note of a node.
type seenNode struct {
	number uint64
	at     time.Time
	note   record.Note

	// When the first list, and the last complete one, have shown this number, by the monotonic
	// clock.
	first, last int64
}

// sawLocked keeps a note that a beat has returned, whose answer came at now.
func (c *cluster) sawLocked(name string, number uint64, n *record.Note, now int64) {
	if c.seen == nil {
		c.seen = make(map[string]seenNode)
	}
	if was, ok := c.seen[name]; !ok || was.number != number {
		c.seen[name] = seenNode{number: number, at: c.clock.Wall(), note: *n, first: now, last: now}
	}
}

// updateSeenLocked takes a complete list that was answered at now. It drops the notes that are not
// in the list any more.
func (c *cluster) updateSeenLocked(nodes []Node, now int64) {
	listed := make(map[string]uint64, len(nodes))
	for _, n := range nodes {
		listed[n.Name] = n.Number
	}
	for name, s := range c.seen {
		switch number, ok := listed[name]; {
		case !ok:
			delete(c.seen, name)
			delete(c.log.numbers, name)
			delete(c.log.alive, name)
		case number == s.number:
			s.last = now
			c.seen[name] = s
		}
	}
}

// endedLocked returns NodeInfo.Ended. Calls such as Revoke do not wait for a node of which no
// record has been read, such as one that has never had a tenure: its notes say whether it is alive.
func (c *cluster) endedLocked(name string, s *seenNode) bool {
	if c.peers.Knows(name) {
		return c.peers.Ended(name)
	}
	n := &s.note
	return n.Silent || n.Shut && n.Tenure > 0 || s.last-s.first >= int64(nodeTTL)
}

// info returns the result of Hub.Cluster.
func (c *cluster) info() ClusterInfo {
	c.mu.Lock()
	defer c.mu.Unlock()
	info := ClusterInfo{
		Node: c.log.node, Epoch: c.epoch, Applied: c.timeline.applied.Load(), Last: c.log.last, First: c.log.first,
		Open: c.gate.open(), Tenure: c.own.Number(), Uncertain: c.resyncs.uncertain(),
	}
	if left := c.gate.left(); left > 0 {
		info.TenureLeft = left
	}
	for name, s := range c.seen {
		info.Nodes = append(info.Nodes, NodeInfo{
			Name: name, Host: s.note.Host, Epoch: s.note.Epoch, Applied: s.note.Applied, Tenure: s.note.Tenure,
			Open: s.note.Ready, Ended: c.endedLocked(name, &s), Seen: s.at,
		})
	}
	slices.SortFunc(info.Nodes, func(a, b NodeInfo) int { return cmp.Compare(a.Name, b.Name) })
	return info
}
