package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// readOnlyEngine lets a hub read the log and the notes of a cluster, and stores nothing in NATS. Its
// hub never has a tenure, never begins an epoch, and no other node knows of it. Clusters have the
// default prefix of natsengine.
type readOnlyEngine struct {
	*natsengine.Engine
	js jetstream.JetStream

	mu     sync.Mutex // guards the following
	node   string     // of the hub; "" before Open has succeeded
	window room.Window
	beats  uint64 // that have read the notes
	failed error  // of the last Beat; nil: it has read them
}

// newReadOnlyEngine returns an engine, and a function that ends its connection for the notes.
func newReadOnlyEngine(o natsengine.Options) (*readOnlyEngine, func(), error) {
	nc, err := nats.Connect(strings.Join(o.Servers, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	o.Existing = true // otherwise Open would create the streams
	return &readOnlyEngine{Engine: natsengine.New(o), js: js}, nc.Close, nil
}

var errLogLost = errors.New("the log of the cluster has lost records or was replaced: list the nodes again")

// Open implements [room.Engine]. It succeeds once: after a loss, natsengine would mark the log.
func (e *readOnlyEngine) Open(ctx context.Context, o room.OpenOptions, receive func(string, []byte)) (room.Opened, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.node != "" {
		return room.Opened{}, errLogLost
	}
	opened, err := e.Engine.Open(ctx, o, receive)
	if err == nil {
		e.node, e.window = o.Node, opened.Window
	}
	return opened, err
}

// Append implements [room.Engine]. It stores nothing.
func (e *readOnlyEngine) Append(ctx context.Context, _ string, _ []byte) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// Send implements [room.Engine]. It sends nothing.
func (e *readOnlyEngine) Send(context.Context, string, []byte) error { return nil }

// Beat implements [room.Engine]. It stores no note. The hub gets its own one, which no other node
// sees.
func (e *readOnlyEngine) Beat(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	nodes, window, err := e.look(ctx, note)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.failed = err
	return nodes, window, err
}

// lookPatience bounds each attempt to look at the notes: a request that is not permitted gets no
// answer.
const lookPatience = 4 * time.Second

// look reads the notes, and where the log begins and ends.
func (e *readOnlyEngine) look(ctx context.Context, note []byte) ([]room.Node, room.Window, error) {
	ctx, cancel := context.WithTimeout(ctx, lookPatience)
	defer cancel()
	nodes, err := e.notes(ctx)
	if err != nil {
		return nil, room.Window{}, fmt.Errorf("read the notes: %w", err)
	}
	log, err := e.js.Stream(ctx, logStream)
	if err != nil {
		return nil, room.Window{}, fmt.Errorf("look at the log: %w", err)
	}
	state := log.CachedInfo().State
	e.mu.Lock()
	defer e.mu.Unlock()
	e.beats++
	e.window.First, e.window.Last = max(state.FirstSeq, 1), state.LastSeq
	return append(nodes, room.Node{Name: e.node, Number: e.beats, Note: note}), e.window, nil
}

// notes reads the last note of each node.
func (e *readOnlyEngine) notes(ctx context.Context) (nodes []room.Node, err error) {
	stream, err := e.js.Stream(ctx, noteStream)
	if err != nil {
		return nil, err
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
	if err != nil {
		return nil, err
	}
	for subject := range info.State.Subjects {
		m, err := e.note(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue // it has become too old
		}
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(m.Header.Get(noteNumber), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: header %s: %w", subject, noteNumber, err)
		}
		name := subject[strings.LastIndexByte(subject, '.')+1:]
		nodes = append(nodes, room.Node{Name: name, Number: number, Note: m.Data})
	}
	return nodes, nil
}

// note reads the last note of a subject. The account of the nodes need not have the permissions for
// GetLastMsgForSubject, which puts the subject of the note into that of the request.
func (e *readOnlyEngine) note(ctx context.Context, subject string) (*nats.Msg, error) {
	request, err := json.Marshal(map[string]string{"last_by_subj": subject})
	if err != nil {
		return nil, err
	}
	m, err := e.js.Conn().RequestWithContext(ctx, "$JS.API.DIRECT.GET."+noteStream, request)
	if err != nil {
		return nil, err
	}
	switch status := m.Header.Get("Status"); status {
	case "":
		return m, nil
	case "404":
		return nil, jetstream.ErrMsgNotFound
	default:
		return nil, fmt.Errorf("%s: NATS answers %s %s", subject, status, m.Header.Get("Description"))
	}
}

// read returns how often the notes were read, and the error of the last attempt.
func (e *readOnlyEngine) read() (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.beats, e.failed
}

// The names that natsengine gives the notes: see its README. A note is the only one of its subject.
const (
	noteStream = "planrooms_notes"
	noteNumber = "Planrooms-Number" // header
)
