package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/planrooms/planrooms/room"
)

// cluster is the name that the checks use.
const cluster = "enginetest"

// node is a node of a trial, with its engine.
type node struct {
	room.Engine
	t      *trial
	name   string
	opened room.Opened
	inbox  *received
	closed bool
}

// open opens the engine of another node.
func (t *trial) open() *node {
	n := t.unopened()
	t.must(n.reopen(), "Open")
	return n
}

// unopened returns a node that is not open.
func (t *trial) unopened() *node {
	n := &node{Engine: t.cluster.Engine(), t: t, name: fmt.Sprintf("node-%d", len(t.nodes)+1)}
	n.inbox = newReceived(n.name)
	t.nodes = append(t.nodes, n)
	return n
}

// reopen calls Open, until it succeeds or the check has to end.
func (n *node) reopen() error {
	return n.t.call("Open", func() (err error) {
		for {
			n.opened, err = n.Open(n.t.ctx, room.OpenOptions{Cluster: cluster, Node: n.name}, n.inbox.receive)
			if err == nil || !n.t.pause() {
				return err
			}
		}
	})
}

// rename gives the node another name, and what it receives under it, for a further Open.
func (n *node) rename() {
	n.name += "-again"
	n.inbox = newReceived(n.name)
}

// close closes the engine, once.
func (n *node) close() {
	if !n.closed {
		n.closed = true
		n.t.must(n.t.call("Close", n.Engine.Close), "Close")
		n.inbox.end()
	}
}

// store appends a record whose ID and data are the text, and notes it in the book.
func (n *node) store(text string) uint64 {
	var seq uint64
	err := n.t.call("Append", func() (err error) {
		seq, err = n.Append(n.t.ctx, text, []byte(text))
		return err
	})
	n.t.must(err, "Append")
	n.t.stored(seq, text)
	return seq
}

// fill appends records from several goroutines. Their texts begin with prefix.
func (n *node) fill(prefix string, count int) {
	const publishers = 8
	type result struct {
		seq  uint64
		text string
	}
	results := make(chan result, count)
	n.t.each("Append", publishers, func(p int) error {
		for i := p; i < count; i += publishers {
			text := fmt.Sprintf("%s %d %s", prefix, i, strings.Repeat("x", i%200))
			seq, err := n.Append(n.t.ctx, text, []byte(text))
			if err != nil {
				return err
			}
			results <- result{seq, text}
		}
		return nil
	})
	close(results)
	for r := range results {
		n.t.stored(r.seq, r.text)
	}
}

// beat calls Beat with a note. It repeats it after errors other than room.ErrEpoch.
func (n *node) beat(text string) (nodes []room.Node, w room.Window, err error) {
	err = n.t.call("Beat", func() (err error) {
		for {
			nodes, w, err = n.Beat(n.t.ctx, []byte(text))
			if err == nil || errors.Is(err, room.ErrEpoch) || !n.t.pause() {
				return err
			}
		}
	})
	return nodes, w, err
}

// window returns the window of the log.
func (n *node) window() room.Window {
	_, w, err := n.beat("")
	n.t.must(err, "Beat")
	return w
}

// noteOf returns the note of a node in a list, and how often the list has it.
func noteOf(nodes []room.Node, name string) (note room.Node, count int) {
	for _, o := range nodes {
		if o.Name == name {
			note = o
			count++
		}
	}
	return note, count
}

// reach sends messages of a size until one arrives at each of the receivers. Messages may be lost,
// so it sends several, each another one, and waits longer each time.
func (n *node) reach(to string, size int, receivers ...*node) {
	for patience := 100 * time.Millisecond; ; patience *= 2 {
		n.t.sent++
		msg := fmt.Sprintf("%s to %q, message %d, size %d ", n.name, to, n.t.sent, size)
		if len(msg) < size {
			msg += strings.Repeat("\x00\xff", size)[:size-len(msg)]
		}
		_ = n.t.call("Send", func() error { return n.Send(n.t.ctx, to, []byte(msg)) }) // it may fail: then again
		ctx, cancel := context.WithTimeout(n.t.ctx, patience)
		arrived := true
		for _, r := range receivers {
			arrived = arrived && r.inbox.await(ctx, n.name, msg)
		}
		cancel()
		if arrived {
			return
		}
		if n.t.ctx.Err() != nil {
			n.t.failf("no message of %s to %q has arrived", n.name, to)
		}
	}
}
