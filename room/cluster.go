package room

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
	"github.com/planrooms/planrooms/room/internal/tenure"
)

// cluster is a hub's part in the log that it shares with other hubs: it opens the engine, applies
// every record in order, tells the others that it is alive, and knows who of them is. What a record
// does to rooms and connections is the replica's.
//
//	run ── opens the engine, and again after ErrEpoch
//	 ├─ follow: Tail, which applies every record          cluster_apply.go, cluster_epoch.go
//	 ├─ beats: one Beat a second, the tenure and the gate  cluster_beat.go
//	 └─ deliver: messages of other nodes                   cluster_message.go
//
// The gate of a node is open while it has a tenure, and has applied its own record of it. A record
// that ends access is over when each node whose record precedes it has applied it, or has ended:
// cluster_control.go. Package tenure has these rules and the model that explores them.
type cluster struct {
	// Fixed at creation.
	engine      Engine
	name        string // Options.Cluster
	hash        uint64 // of name; in every record
	host        string // Options.Node
	maxPayload  int    // Options.MaxPayload
	historyAge  time.Duration
	publishFor  time.Duration // Options.PublishTimeout
	clock       Clock
	timing      clusterTiming
	replica     replica
	timeline    *timeline
	gate        *gate
	rosters     *rosters
	logs        *logLimiter
	logger      *slog.Logger
	start       func(func()) // starts a goroutine of the hub
	ctx         context.Context
	cancel      context.CancelFunc
	messages    chan message
	incarnation string        // makes the IDs of Append unique
	opened      chan struct{} // closed when the engine is open for the first time

	ids     atomic.Uint64 // of Append
	closed  atomic.Bool   // Engine.Close was called, or is about to be
	waiting atomic.Int32  // joins in awaitApplied

	mu       sync.Mutex // guards the following; no other lock is taken under it but gate.mu
	log      openLog
	own      tenure.Own
	peers    tenure.Peers
	peered   int64               // when peers was empty
	epoch    string              // of the log so far; "" if no record has named it
	begun    bool                // the record that began the epoch was applied: node records of others are stale
	sure     bool                // epoch is the current one: nothing was before it, or a node record has named it
	before   string              // the epoch that the record which began epoch has ended
	opening  ownRecord           // its tenure counts once what precedes it is done
	leaving  bool                // Shutdown has begun: no new tenure
	refused  error               // why the engine is not open
	turn     chan struct{}       // closed when something has changed that waits look at; nil if none does
	arrived  chan struct{}       // closed when a record was applied; nil if no join waits
	seen     map[string]seenNode // notes of the last beat
	controls controls
	doubts   doubts
}

// ownRecord is the record of a tenure of this node.
type ownRecord struct{ tenure, seq uint64 }

// openLog is what is known of an engine since it was opened last.
type openLog struct {
	node     string // name of this node; "" if the engine is not open
	opened   Opened
	first    uint64            // Window.First of the last beat
	last     uint64            // Window.Last of the last beat
	beats    uint64            // number of the own note in the last list
	settled  bool              // the epoch is known, and so is that the log has lost nothing in it
	anew     bool              // the log may have lost records: a new epoch has to begin
	goal     uint64            // a Last of a beat that is not applied; 0 if there is none
	goalAt   int64             // when a beat has shown it
	recorded int64             // when the own node record was appended last
	dark     int64             // since when the node has no tenure; 0 if it has one
	darkened int64             // when all connections were closed for that; 0: never
	numbers  map[string]uint64 // of the notes of other nodes
	alive    map[string]int64  // when the note of another node has changed last, for those that have a tenure
	looked   int64             // when the first list was complete
}

// clusterTiming has the times that all nodes of a cluster have in common.
type clusterTiming struct {
	ttl  time.Duration // without a beat for so long, a node is gone
	beat time.Duration
}

var defaultTiming = clusterTiming{ttl: 12 * time.Second, beat: time.Second}

const (
	openTimeout  = 30 * time.Second
	openPause    = time.Second
	gateTimeout  = 5 * time.Second // how long a join waits for the gate
	aheadTimeout = 2 * time.Second // how long a join waits for the position of its client
	darkAfter    = 30 * time.Second
	darkSpread   = 60 * time.Second
	darkEvery    = 5 * time.Minute
	// roomForRecord is what a record needs besides the data of its event.
	roomForRecord = 4 << 10
)

// replica is what records and messages do to the hub.
type replica interface {
	// applyEvent appends an event to the history of a plan.
	applyEvent(plan string, e *record.Event, seq uint64, replay bool)
	// applyResync makes all clients of a plan load it; "" means all plans.
	applyResync(plan string, seq uint64)
	// begin applies a record that ends access: joins that are in flight call Authorize again. The
	// function that it returns does the rest, which takes longer.
	begin(kind record.Kind, plan string, c *record.Control, seq uint64, replay bool) (finish func() ackCounts)
	// doubt is called for a record that cannot be read: it may have ended access to a plan, or, if
	// plan is "", to any.
	doubt(plan string) (finish func() ackCounts)
	// adopt names the epoch of the histories.
	adopt(epoch string)
	// reset drops all histories: the log continues behind floor in another epoch, or has lost what
	// is before. Nothing is written to a member until Authorize has allowed it again.
	reset(epoch string, floor uint64)
	// notify is Notify for the connections of this hub.
	notify(n *record.Notify)
	// scatter closes all connections, since the node cannot serve them.
	scatter(spread time.Duration)
}

// newIncarnation returns the name of this node for one call of Open.
func newIncarnation(host string) string {
	var b strings.Builder
	for _, c := range host {
		if b.Len() == 48 {
			break
		}
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			c = '-'
		}
		b.WriteRune(c)
	}
	return b.String() + "_" + strings.ToLower(rand.Text()[:16]) // 80 bits
}

// id returns a new ID for Append.
func (c *cluster) id() string {
	return fmt.Sprintf("n:%s:%d", c.incarnation, c.ids.Add(1))
}

// run opens the engine and follows the log until the hub ends.
func (c *cluster) run() {
	anew := false
	for c.ctx.Err() == nil {
		if !c.open(anew) {
			c.sleep(openPause)
			continue
		}
		anew = c.follow()
	}
}

// open calls Engine.Open. anew reports that the log may have lost records since it was open before.
func (c *cluster) open(anew bool) bool {
	ctx, cancel := context.WithTimeout(c.ctx, openTimeout)
	defer cancel()
	node := newIncarnation(c.host)
	o, err := c.engine.Open(ctx, OpenOptions{Cluster: c.name, Node: node}, c.receive)
	if err == nil {
		err = c.fits(o.MaxRecord)
	}
	if err != nil && c.ctx.Err() == nil {
		c.logs.warn("engine", "open", "room: the engine cannot be opened", "error", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused = err; err != nil {
		return false
	}
	c.own, c.peers = tenure.NewOwn(int64(c.timing.ttl)), tenure.NewPeers(int64(c.timing.ttl))
	if anew {
		c.peers.Reset()
	}
	if o.Alone {
		c.peers.Alone(node)
	}
	c.log = openLog{
		node: node, opened: o, first: o.Window.First, last: o.Window.Last, anew: anew, numbers: make(map[string]uint64),
		alive: make(map[string]int64),
		dark:  c.log.dark, darkened: c.log.darkened,
	}
	if c.log.dark == 0 {
		c.log.dark = c.now().Mono
	}
	c.epoch = ""
	c.controls.resetLocked()
	c.peered = c.now().Mono
	return true
}

// fits returns why an event of MaxPayload does not fit into a record, whose largest size is
// maxRecord, or nil.
func (c *cluster) fits(maxRecord int) error {
	if need := c.maxPayload + roomForRecord; maxRecord < need {
		return fmt.Errorf("the engine stores records of %d bytes at most, but Options.MaxPayload needs %d", maxRecord, need)
	}
	return nil
}

// now is the present moment on both clocks.
func (c *cluster) now() tenure.Moment {
	return tenure.Moment{Mono: int64(c.clock.Monotonic()), Wall: c.clock.Wall().UnixNano()}
}

// sleep waits for d, or until the cluster ends.
func (c *cluster) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// changedLocked wakes those that wait for the end of nodes, or for the gate.
func (c *cluster) changedLocked() {
	c.controls.wakeLocked()
	if c.turn != nil {
		close(c.turn)
		c.turn = nil
	}
}

// turnLocked returns a channel that changedLocked closes.
func (c *cluster) turnLocked() <-chan struct{} {
	if c.turn == nil {
		c.turn = make(chan struct{})
	}
	return c.turn
}

// ready returns why the node cannot serve clients, or nil.
func (c *cluster) ready() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, applied := &c.log, c.timeline.applied.Load()
	size := c.fits(s.opened.MaxRecord)
	switch {
	case c.leaving:
		return ErrHubClosed
	case c.refused != nil:
		return fmt.Errorf("%w: %w", ErrNotReady, c.refused)
	case s.node == "":
		return fmt.Errorf("%w: the engine is not open yet", ErrNotReady)
	case size != nil: // the limit was lowered since; smaller events are still stored
		return fmt.Errorf("%w: %w", ErrNotReady, size)
	case !s.settled:
		return fmt.Errorf("%w: %d of %d records applied", ErrNotReady, applied, s.opened.Window.Last)
	case !c.gate.open():
		return fmt.Errorf("%w: no tenure; the engine does not answer, or the node lags behind it", ErrNotReady)
	}
	return nil
}
