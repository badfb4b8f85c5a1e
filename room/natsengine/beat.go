package natsengine

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// Beat implements [room.Engine]. If it fails after the note may have been stored, the next note has
// the next number all the same.
func (e *Engine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	c, s, err := e.use()
	switch {
	case err != nil:
		return nil, room.Window{}, err
	case len(note) > room.MaxNote:
		return nil, room.Window{}, fmt.Errorf("natsengine: a note has at most %d bytes, not %d", room.MaxNote, len(note))
	}
	ctx, cancel := e.running(ctx)
	defer cancel()
	nodes, window, err := c.beat(ctx, s, note)
	return nodes, window, e.o.redact(err)
}

func (c *client) beat(ctx context.Context, s *session, note []byte) ([]room.Node, room.Window, error) {
	if s.isLost() {
		return nil, room.Window{}, room.ErrEpoch
	}
	stored, err := s.notes.store(ctx, c, s, note)
	if err != nil {
		return nil, room.Window{}, err
	}
	nodes, err := c.readNotes(ctx, s, stored)
	if err != nil {
		return nil, room.Window{}, err
	}
	now, err := s.verify(ctx, c, s.mark.point())
	if err != nil {
		return nil, room.Window{}, err
	}
	s.bell.ring(now.last)
	window := now.window()
	window.MaxRecord = c.largest(now.config) // another server may have another limit
	s.largest.Store(int64(window.MaxRecord))
	return nodes, window, nil
}

// readNotes returns the last note of each node. stored is the seq of the own note: a replica that
// has it has everything older.
func (c *client) readNotes(ctx context.Context, s *session, stored uint64) ([]room.Node, error) {
	r := c.newReader(s.names.notes)
	defer r.close()
	prefix := s.names.note("")
	notes := make(map[string]room.Node)
	var names []string
	for n, from := 0, uint64(1); from <= stored; n++ {
		list, more, err := r.read(ctx, from, 0)
		for _, m := range list {
			from = m.seq + 1
			name, ok := strings.CutPrefix(m.header.Get(jetstream.SubjectHeader), prefix)
			number, bad := strconv.ParseUint(m.header.Get(numberHeader), 10, 64)
			if !ok || bad != nil {
				continue // not of an engine
			}
			if _, ok := notes[name]; !ok {
				names = append(names, name)
			}
			notes[name] = room.Node{Name: name, Number: number, Note: m.data}
		}
		if err != nil && !passing(err, r.subject) {
			return nil, fmt.Errorf("natsengine: read the notes: %w", err)
		}
		if more && err == nil && len(list) > 0 {
			n = 0
			continue
		}
		if from <= stored { // a replica that is behind
			if err := pause(ctx, n); err != nil {
				return nil, fmt.Errorf("natsengine: read the notes: %w", err)
			}
		}
	}
	nodes := make([]room.Node, 0, len(names))
	for _, name := range names {
		nodes = append(nodes, notes[name])
	}
	return nodes, nil
}
