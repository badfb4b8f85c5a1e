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

// cluster is a hub's part in the log that it shares with other hubs, the nodes of a cluster. It
// opens the engine, applies every record in order, and stores a note each second, which shows the
// other nodes that this one is alive. The replica does what a record means for rooms and
// connections.
//
// Goroutines:
//
//	run      opens the engine, and again after ErrEpoch; then it follows the log with Tail
//	beats    calls Beat once a second while the engine is open
//	deliver  handles the messages of other nodes
//	watch    logs whether the node is ready, and closes all connections if it has no tenure for long
//
// and two that call functions of the Observer, which may block: see aside.
//
// Files:
//
//	cluster_follow.go     reads the log, and starts again if it has lost records
//	cluster_apply.go      what a record does, by its kind
//	cluster_epoch.go      how the nodes agree on the epoch of the log
//	cluster_beat.go       the notes of the nodes
//	cluster_logend.go     losses of what this node has not read
//	cluster_tenure.go     the tenure of this node, which opens its gate
//	cluster_lapse.go      what this node may have missed while it had no tenure
//	cluster_ready.go      whether the node is ready, and what follows if it is not for long
//	cluster_control.go    records that end access, and the calls that wait for all nodes
//	cluster_publish.go    stores records
//	cluster_uncertain.go  events of which it is uncertain whether they are stored
//	cluster_finish.go     what Shutdown waits for before it closes the engine
//	cluster_message.go    messages between the nodes
//	cluster_join.go       what a join waits for
//	clusterinfo.go        Hub.Cluster
//	replica.go            what records do to rooms and connections
//	gate.go               what outlets ask before each write
//	rosters.go            which users the other nodes list
//
// The gate of a node is open while the node has a tenure and has applied its own record of it. A
// call that ends access, such as Revoke, appends a record. It waits until each node whose own
// record precedes that one has applied it, or has ended. Package tenure has these rules, and a
// model that explores them.
type cluster struct {
	// Fixed at creation.
	engine     Engine
	name       string // Options.Cluster
	hash       uint64 // of name; in every record
	host       string // Options.Node
	maxPayload int    // Options.MaxPayload
	historyAge time.Duration
	publishFor time.Duration // Options.PublishTimeout
	clock      Clock
	now        func() tenure.Moment // reads clock
	replica    replica
	timeline   *timeline
	gate       *gate
	rosters    *rosters
	logs       *logLimiter
	logger     *slog.Logger
	start      func(func()) // starts a goroutine of the hub
	ctx        context.Context
	cancel     context.CancelFunc
	messages   *backlog[message]
	notifies   aside         // the events of Hub.Notify from other nodes
	evictions  aside         // the calls of Observer.Evicted
	idPrefix   string        // of the IDs of Append; no other hub has it
	opened     chan struct{} // closed when the engine is open for the first time
	beatNow    chan struct{} // has a value if beats has to call beat at once

	ids     atomic.Uint64 // counts the IDs of Append
	closed  atomic.Bool   // Engine.Close was called, or is about to be; set under mu
	nearest atomic.Uint64 // no join waits for a record before this seq

	mu         sync.Mutex // guards the following; no other lock is taken under it but gate.mu
	log        openLog
	own        tenure.Own
	ending     bool // replica.endWrites is being called
	peers      tenure.Peers
	peersSince int64 // when peers was empty, by the monotonic clock
	lapse      lapse
	opening    ownRecord                // its tenure counts once what precedes it is done
	leaving    bool                     // Shutdown has begun: no new tenure
	refused    error                    // why the last call of Open failed
	beatErr    error                    // why the last call of Beat failed
	change     chan struct{}            // closed by changedLocked; nil if no join waits for the gate
	joins      map[chan struct{}]uint64 // that wait for the record with a seq, which closes the channel
	seen       map[string]seenNode      // the newest note of each node

	// The epoch of the log as far as it is applied; see cluster_epoch.go.
	epoch  string // "" if no record has named it
	floor  uint64 // this node has applied all records after this one
	since  uint64 // seq of the record that began epoch
	stale  uint64 // epochs that began up to this seq have ended, unless it is epoch
	begun  bool   // the record that began epoch was applied
	before string // the epoch that this record has ended; "" if it was not applied
	sure   bool   // epoch is the current one: nothing precedes it, or a node record has named it

	controls controls
	resyncs  resyncs
	ignored  ignored
}

// ownRecord is the record of a tenure of this node.
type ownRecord struct{ tenure, seq uint64 }

// openLog is what is known of the log since the last call of Engine.Open. Guarded by cluster.mu.
// Times are in nanoseconds of the monotonic clock.
type openLog struct {
	node    string // name of this node; "" before the first Open
	opened  Opened // Window.Last is later if the log was read again from its start
	settled bool   // the epoch is known, and the log has lost nothing in it
	lost    bool   // the log may have lost records: a new epoch has to begin

	// Of the last beat.
	first uint64 // Window.First
	last  uint64 // Window.Last
	beats uint64 // number of the own note in the list
	end   logEnd

	// The nodes, in complete lists since caughtUp, until the epoch is settled.
	lists   int               // how many there were
	numbers map[string]uint64 // of the notes of other nodes
	alive   map[string]int64  // when the note of another node changed last, of those with a tenure

	// The tenure.
	recorded int64  // when the own node record was appended last
	goal     uint64 // a Last of a beat that is not applied; 0 if there is none
	goalAt   int64  // when a beat showed it

	dark     int64 // since when the node has no tenure; 0 if it has one
	darkened int64 // when all connections were closed for that; 0: never
}

const (
	// nodeTTL is how long the other nodes wait for one that stores no note: so long, it may still
	// write to clients. Its tenure ends a fifth earlier, see package tenure, and that is later than
	// an engine that has lost its leader answers again.
	//
	// All nodes of a cluster must have the same value, and no note contains it. Of two releases
	// with different ones, the nodes with the shorter one would stop waiting for those with the
	// longer one too early. So a rolling deploy must not change it. CLUSTER.md, Hub.Revoke,
	// NodeInfo.Ended and natsengine repeat the value.
	nodeTTL   = 12 * time.Second
	beatEvery = time.Second // between two notes of a node

	openTimeout = 30 * time.Second // of one call of Engine.Open
	openPause   = time.Second      // between two calls
	// roomForRecord is what a record needs in addition to the data of its event, in bytes.
	roomForRecord = 4 << 10
)

// newNodeName returns the name of this node for one call of Engine.Open: the host's, so that people
// recognize it, and random bits, so that no node has ever had it.
func newNodeName(host string) string {
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
	return fmt.Sprintf("n:%s:%d", c.idPrefix, c.ids.Add(1))
}

// run opens the engine and follows the log until the hub ends.
func (c *cluster) run() {
	lost := false
	for c.ctx.Err() == nil {
		if !c.open(lost) {
			c.sleep(openPause)
			continue
		}
		began := c.now().Mono
		if lost = c.follow(); c.now().Mono-began < int64(beatEvery) {
			c.sleep(beatEvery / 10) // the engine may say so each time
		}
	}
}

// open calls Engine.Open once, and reports whether the engine is open. lost is whether the log may
// have lost records since it was open before.
func (c *cluster) open(lost bool) bool {
	ctx, cancel := context.WithTimeout(c.ctx, openTimeout)
	defer cancel()
	node := newNodeName(c.host)
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
		c.lapse.closed = true
		return false
	}
	c.own, c.peers = tenure.NewOwn(int64(nodeTTL)), tenure.NewPeers(int64(nodeTTL))
	if lost {
		c.peers.Reset()
	}
	if o.Alone {
		c.peers.Alone(node)
	}
	c.log = openLog{
		node: node, opened: o, lost: lost, first: o.Window.First, last: o.Window.Last,
		end:     logEnd{seen: o.Window.Last},
		numbers: make(map[string]uint64), alive: make(map[string]int64),
		dark: c.log.dark, darkened: c.log.darkened, // they outlast a call of Open
	}
	if c.log.dark == 0 {
		c.log.dark = c.now().Mono
	}
	c.epoch = ""
	c.controls.resetLocked()
	c.peersSince = c.now().Mono
	return true
}

// fits returns nil if an event of MaxPayload fits into a record of maxRecord bytes, and else an
// error for operators.
func (c *cluster) fits(maxRecord int) error {
	if need := c.maxPayload + roomForRecord; maxRecord < need {
		return fmt.Errorf("the engine stores records of %d bytes at most, but Options.MaxPayload needs %d", maxRecord, need)
	}
	return nil
}

// sleep waits for d, or until close.
func (c *cluster) sleep(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.ctx.Done():
	}
}

// changedLocked wakes the calls that wait for the end of nodes, and the joins that wait for the
// gate.
func (c *cluster) changedLocked() {
	c.controls.wakeLocked()
	if c.change != nil {
		close(c.change)
		c.change = nil
	}
}

// nextChangeLocked returns a channel that the next call of changedLocked closes.
func (c *cluster) nextChangeLocked() <-chan struct{} {
	if c.change == nil {
		c.change = make(chan struct{})
	}
	return c.change
}

// leave ends the tenure of the node for good, and lets the other nodes know, so that they do not
// wait for it. Events can be published until close.
func (c *cluster) leave(ctx context.Context) {
	c.mu.Lock()
	c.leaving = true
	node, tenure := c.log.node, c.own.Number()
	c.setGateLocked()
	c.mu.Unlock()
	if node == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	said := make(chan struct{})
	c.start(func() { // an engine that ignores ctx must not hold up Shutdown; close ends its calls
		defer close(said)
		s := record.Silent{Name: node, Tenure: tenure}
		if _, err := c.engine.Append(ctx, c.id(), c.record(record.KindSilent, "", s.Append(nil))); err != nil {
			c.logs.warn("engine", "silent", "room: the end of this node cannot be stored in the log; the others wait until it is gone", "error", err)
		}
		_, _, _ = c.engine.Beat(ctx, c.note())
	})
	select {
	case <-said:
	case <-ctx.Done():
	}
}

// close ends the goroutines of the cluster, and closes the engine.
func (c *cluster) close() {
	c.mu.Lock()
	c.closed.Store(true)
	c.mu.Unlock()
	c.cancel()
	if err := c.engine.Close(); err != nil {
		c.logs.warn("engine", "close", "room: the engine cannot be closed", "error", err)
	}
}
