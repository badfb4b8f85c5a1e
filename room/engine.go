package room

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// Engine is the log that the hubs of several processes share, the nodes of a cluster. It stores and
// orders records; what they mean is the hub's. Every node applies all records in order, so a join,
// [Hub.Position] and a resume need no call of the engine.
//
// Package room/natsengine has an engine for NATS JetStream. Package room/enginetest has one in
// memory, and the tests that every engine has to pass.
//
// The hub calls Open until it succeeds, and again after [ErrEpoch], with another node name; it
// makes these calls one after the other, but Append and Send may run meanwhile. Before the first
// call of Open has succeeded, it calls no other method but Close. It calls Close last, and all
// other methods concurrently. A method returns soon after its context ends. Arguments and results
// are not modified by either side afterwards, except for a slice of records, which its callee may
// keep only until it returns.
type Engine interface {
	// Open connects a node to the log of a cluster, and creates the log if there is none. It
	// returns what the log holds. From then on until Close the engine passes messages of other
	// nodes to receive: one at a time, each at most once, in any order. receive does not block.
	// Open fails for a log of another cluster, and for settings with which the engine cannot keep
	// its promises. After an error, Open may be called again. A call after one that has succeeded
	// looks at the log afresh, and replaces the node name and receive of the earlier one, whose
	// Tail and Beat have returned.
	Open(ctx context.Context, o OpenOptions, receive func(from string, msg []byte)) (Opened, error)

	// Append stores data as a record at the end of the log, and returns its seq. A second call with
	// the same ID within [DedupWindow] stores nothing and returns the seq of the first. Once Append
	// has returned nil, every Tail delivers the record, unless the epoch changes. It repeats failed
	// attempts until ctx ends. After [ErrUncertain] the record may be stored, now or later; after
	// any other error it is not and will not be.
	Append(ctx context.Context, id string, data []byte) (seq uint64, err error)

	// Tail calls apply with every record after a seq, in order and each once, and waits for new
	// ones until ctx ends; it then returns the error of ctx. It overcomes lost connections and
	// notifications itself. apply may block: other calls must not wait for it. Errors:
	// [TrimmedError] if a record that should come next is no longer in the log, [ErrEpoch] if the
	// log is another one than the one that Open has returned, or a record that was delivered is
	// another one or was lost, other than by trimming. Any other error means that the hub may call
	// Tail again.
	Tail(ctx context.Context, after uint64, apply func([]Record)) error

	// Beat stores the note of this node, of at most [MaxNote] bytes, with a number that grows by
	// one at each call that stores it, and then reads the notes of all nodes and the window of the
	// log. What it reads is not older than what it has stored. Notes of nodes that have not called
	// Beat for an hour may be dropped. Errors: [ErrEpoch] as for Tail, and any other.
	Beat(ctx context.Context, note []byte) ([]Node, Window, error)

	// Send sends msg, of at most [MaxMessage] bytes, to one node or, if to is "", to all others. A
	// node receives it at most once, and need not receive it at all.
	Send(ctx context.Context, to string, msg []byte) error

	// Close ends the engine: calls that are running return, and receive is not called any more
	// once it has returned. It removes nothing from the log.
	Close() error
}

// OpenOptions describe a node to [Engine.Open].
type OpenOptions struct {
	// Cluster is Options.Cluster. Nodes with the same name share a log; those of another cluster
	// must not, even on the same server.
	Cluster string
	// Node is the name of this node, unique in the cluster and for each call of Open: 1 to 80 of
	// [A-Za-z0-9_-].
	Node string
}

// Opened is what [Engine.Open] has found.
type Opened struct {
	Window Window
	// MaxRecord is the size of the largest record that can be stored, in bytes.
	MaxRecord int
	// Alone is whether no other process can use the log before Close.
	Alone bool
	// Complete is whether the engine knows that the log has lost no record that was ever
	// acknowledged. If not, and no other node is alive, the hub begins a new epoch.
	Complete bool
}

// Window is what a log holds. Its records have the seqs from First to Last without gaps; there are
// none if First is Last+1.
type Window struct {
	// Epoch changes if a record that was acknowledged may be gone, or a seq may be given twice.
	Epoch string
	// First is the seq after the last gap: of the oldest record, or behind a part of the log that
	// was damaged.
	First uint64
	// Last is the highest seq that was given.
	Last uint64
	// MaxRecord is Opened.MaxRecord as Beat has found it, if the engine knows it then. Otherwise,
	// and after Open, it is 0.
	MaxRecord int
}

// Record is one entry of a log.
type Record struct {
	Seq  uint64 // from 1 on
	Data []byte
}

// Node is the last note of a node.
type Node struct {
	Name   string // OpenOptions.Node
	Number uint64 // of the notes that this node has stored
	Note   []byte
}

const (
	// DedupWindow is the time within which [Engine.Append] recognizes an ID that was used before.
	DedupWindow = 2 * time.Minute
	// MaxNote is the maximum size of a note of [Engine.Beat], in bytes.
	MaxNote = 512
	// MaxMessage is the maximum size of a message of [Engine.Send], in bytes.
	MaxMessage = 64 << 10
)

var (
	// ErrUncertain is returned by [Engine.Append] if the record may have been stored.
	ErrUncertain = errors.New("room: it is uncertain whether the record is stored")

	// ErrTrimmed is what [TrimmedError] wraps.
	ErrTrimmed = errors.New("room: the log no longer holds the record")

	// ErrEpoch is returned by [Engine.Tail] and [Engine.Beat] if the log may have lost records that
	// were acknowledged.
	ErrEpoch = errors.New("room: the log is another one, or has lost records")
)

// TrimmedError is returned by [Engine.Tail] for a record that is no longer in the log. It wraps
// [ErrTrimmed].
type TrimmedError struct {
	First uint64 // the seq after the gap; see Window.First
}

// Error implements error.
func (e *TrimmedError) Error() string {
	return ErrTrimmed.Error() + "; its first one has seq " + strconv.FormatUint(e.First, 10)
}

// Unwrap returns [ErrTrimmed].
func (e *TrimmedError) Unwrap() error { return ErrTrimmed }
