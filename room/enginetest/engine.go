package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/planrooms/planrooms/room"
)

// MemoryEngine is the [room.Engine] of one node, on a [Memory]. The methods in faults_node.go break
// its connection.
//
// After [room.ErrEpoch], Tail and Beat fail until Open is called again. This returns the window of
// the log as it is now, from which the node starts again.
type MemoryEngine struct {
	store *Memory
	link  *link

	mu     sync.Mutex // guards the following
	name   string     // "" before Open
	epoch  string     // that Open has returned
	inbox  *inbox
	number uint64 // of the last note
	known  mark   // the newest record that was delivered, or was there at Open
}

var _ room.Engine = (*MemoryEngine)(nil)

// Engine returns an engine of another node. Call Open before its other methods.
func (m *Memory) Engine() *MemoryEngine { return &MemoryEngine{store: m, link: newLink()} }

var errNotOpen = errors.New("enginetest: Open was not called")

// Open implements [room.Engine]. A second call replaces the name, receive, and the known state of
// the log.
func (e *MemoryEngine) Open(ctx context.Context, o room.OpenOptions, receive func(from string, msg []byte)) (room.Opened, error) {
	switch {
	case o.Cluster == "":
		return room.Opened{}, errors.New("enginetest: the cluster has no name")
	case o.Node == "" || len(o.Node) > 80:
		return room.Opened{}, fmt.Errorf("enginetest: %d bytes are not the name of a node", len(o.Node))
	}
	if err := e.link.request(ctx); err != nil {
		return room.Opened{}, err
	}
	in := newInbox(e.link, receive)
	opened, newest, err := e.store.join(o, in)
	if err != nil {
		return opened, err
	}
	if err := e.link.answer(ctx); err != nil {
		e.store.leave(o.Node, in)
		return room.Opened{}, err
	}
	return opened, e.opened(o.Node, opened.Window.Epoch, newest, in)
}

// opened takes the result of Open. The inbox of an earlier Open ends.
func (e *MemoryEngine) opened(name, epoch string, newest mark, in *inbox) error {
	e.mu.Lock()
	oldName, old := e.name, e.inbox
	err := e.link.ended(context.Background())
	if err == nil {
		e.name, e.epoch, e.known, e.inbox = name, epoch, newest, in
	}
	e.mu.Unlock()
	if err != nil {
		e.store.leave(name, in)
		return err
	}
	e.endInbox(oldName, old)
	go in.run() // until the next Open, or Close
	return nil
}

// endInbox waits for a call of receive that is running. e.mu must not be held: receive may call
// Send.
func (e *MemoryEngine) endInbox(name string, in *inbox) {
	if in != nil {
		e.store.leave(name, in)
		in.end()
	}
}

// Append implements [room.Engine]. It sends the record until it gets an answer.
func (e *MemoryEngine) Append(ctx context.Context, id string, data []byte) (uint64, error) {
	if _, _, err := e.state(); err != nil {
		return 0, err
	}
	if limit := e.store.largest(); len(data) > limit {
		return 0, fmt.Errorf("enginetest: a record of %d bytes; the log takes up to %d", len(data), limit)
	}
	sent := false // a request may have reached the store, also during a cut
	for {
		err := e.link.request(ctx)
		sent = sent || err == nil || errors.Is(err, errCut)
		if err == nil {
			var seq uint64
			if seq, err = e.deliver(ctx, id, data); err == nil {
				if err = e.link.answer(ctx); err == nil {
					return seq, nil
				}
			}
		}
		if errors.Is(err, errCut) {
			err = e.link.awaitUp(ctx)
		}
		switch {
		case err == nil: // the connection is back
		case sent:
			return 0, fmt.Errorf("%w: %w", room.ErrUncertain, err)
		default:
			return 0, err
		}
	}
}

// deliver stores a record, unless a fault holds it up.
func (e *MemoryEngine) deliver(ctx context.Context, id string, data []byte) (uint64, error) {
	s := e.link.takeStall()
	if s == nil {
		return e.store.append(id, data), nil
	}
	s.hold(func() uint64 { return e.store.append(id, data) })
	return await(ctx, e.link.closed, s.stored)
}

// Tail implements [room.Engine].
func (e *MemoryEngine) Tail(ctx context.Context, after uint64, apply func([]room.Record)) error {
	epoch, _, err := e.state()
	if err != nil {
		return err
	}
	known := e.newest()
	batch := make([]room.Record, 0, 256)
	for {
		if err := e.link.awaitRecords(ctx); err != nil {
			return err
		}
		records, grown, err := e.store.read(epoch, known, after, batch)
		switch {
		case err != nil:
			return err
		case len(records) == 0:
			if _, err := await(ctx, e.link.closed, grown); err != nil {
				return err
			}
		default:
			apply(records)
			newest := records[len(records)-1]
			after, known = newest.Seq, markOf(newest.Seq, newest.Data)
			e.delivered(known)
		}
	}
}

// newest returns the mark of the newest record that any Tail has delivered.
func (e *MemoryEngine) newest() mark {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.known
}

func (e *MemoryEngine) delivered(m mark) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if m.seq > e.known.seq {
		e.known = m
	}
}

// Beat implements [room.Engine]. The engine counts its notes itself: a store that has lost them
// could not go on counting.
func (e *MemoryEngine) Beat(ctx context.Context, data []byte) ([]room.Node, room.Window, error) {
	epoch, name, err := e.state()
	if err != nil {
		return nil, room.Window{}, err
	}
	if len(data) > room.MaxNote {
		return nil, room.Window{}, fmt.Errorf("enginetest: a note of %d bytes; the limit is %d", len(data), room.MaxNote)
	}
	if err := e.link.request(ctx); err != nil {
		return nil, room.Window{}, err
	}
	nodes, window, err := e.store.beat(epoch, e.newest(), room.Node{Name: name, Number: e.nextNumber(), Note: data})
	if err != nil {
		return nil, room.Window{}, err
	}
	if err := e.link.answer(ctx); err != nil {
		return nil, room.Window{}, err
	}
	return nodes, window, nil
}

func (e *MemoryEngine) nextNumber() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.number++
	return e.number
}

// Send implements [room.Engine].
func (e *MemoryEngine) Send(ctx context.Context, to string, msg []byte) error {
	_, name, err := e.state()
	if err != nil {
		return err
	}
	if len(msg) > room.MaxMessage {
		return fmt.Errorf("enginetest: a message of %d bytes; the limit is %d", len(msg), room.MaxMessage)
	}
	if err := e.link.request(ctx); err != nil {
		return err
	}
	e.store.send(name, to, msg)
	return nil
}

// Close implements [room.Engine]. It also ends calls that a fault holds up.
func (e *MemoryEngine) Close() error {
	e.mu.Lock()
	name, in, first := e.name, e.inbox, e.link.close()
	e.inbox = nil
	e.mu.Unlock()
	if first {
		e.endInbox(name, in)
	}
	return nil
}

// state returns the epoch and the name of the last Open.
func (e *MemoryEngine) state() (epoch, name string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.name == "" {
		return "", "", errNotOpen
	}
	return e.epoch, e.name, e.link.ended(context.Background())
}
