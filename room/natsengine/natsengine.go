// Package natsengine joins the hubs of several processes through NATS JetStream. An [Engine] is a
// [room.Engine]:
//
//	engine := natsengine.New(natsengine.Options{Servers: urls, Replicas: 3})
//
// The log of a cluster is one stream with one subject, so its sequence numbers are those of the
// records. A second stream keeps the last note of each node. [Engine.Open] creates both, or
// verifies them. NATS orders and stores the records; the engine adds four rules:
//
//   - A record counts as stored only when the stream acknowledged it with a seq. If an attempt may
//     have reached the stream, a later failure does not prove that the record is not stored, so
//     [room.ErrUncertain] is all that Append may return.
//   - There is one way to read: all records after a seq. The stream rings a bell, a message without
//     data, for each record; a lost one delays a record by at most a second. A record is
//     delivered only if the last one before it is still the same: its checksum is compared.
//   - A missing record is only believed of the stream's leader. A replica that is behind says the
//     same.
//   - A log that ends before a record that was delivered, or has another one in its place, has lost
//     records: [room.ErrEpoch].
//
// README.md says what an acknowledgement means, how to size the streams and what to watch.
package natsengine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
)

// Engine is a [room.Engine] on NATS JetStream. [New] returns one. It has one connection to NATS,
// which it restores until Close, once Open has made it. Methods may be called concurrently, as
// room.Engine says.
type Engine struct {
	o       Options
	invalid error // why Open fails

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	opening sync.Mutex // makes calls of Open one after the other

	mu      sync.Mutex // guards what follows
	client  *client    // nil until Open has connected
	session *session   // nil until Open has succeeded
}

var _ room.Engine = (*Engine)(nil)

var (
	errClosed  = errors.New("natsengine: the engine is closed")
	errNotOpen = errors.New("natsengine: the engine is not open")
)

// New returns an engine that Open connects. It opens nothing itself, and reports invalid options at
// Open.
func New(o Options) *Engine {
	o, err := o.withDefaults()
	e := &Engine{o: o, invalid: err}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// session is what one call of Open has found and begun. The next call replaces it.
type session struct {
	// Fixed at creation.
	client *client
	names  names
	node   string
	epoch  string

	mail  *mailbox
	subs  []*subscription // of mail and bell
	mark  mark
	acks  *acks
	bell  bell
	notes *notes

	largest atomic.Int64 // size of the largest record, in bytes, as Open or the last Beat has found it

	lost chan struct{} // closed if the log has lost records
	once sync.Once     // closes lost
}

// lose ends the tails and beats of the session: the log has lost records.
func (s *session) lose(log *slog.Logger, why string, args ...any) {
	s.once.Do(func() {
		log.Error("natsengine: the log has lost records, or is another one: "+why, args...)
		close(s.lost)
	})
}

// isLost reports whether lose was called.
func (s *session) isLost() bool {
	select {
	case <-s.lost:
		return true
	default:
		return false
	}
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// Open implements [room.Engine]. It connects, unless an earlier call did, and creates or verifies
// the streams. While JetStream is not ready, as during the election of a leader, it repeats its
// requests for at most ten seconds. Opened.Complete is always false: JetStream cannot prove that it
// has lost nothing.
func (e *Engine) Open(ctx context.Context, o room.OpenOptions, receive func(from string, msg []byte)) (room.Opened, error) {
	e.opening.Lock()
	defer e.opening.Unlock()
	ctx, cancel := e.running(ctx)
	defer cancel()
	opened, err := e.open(ctx, o, receive)
	if e.ctx.Err() != nil {
		err = errClosed
	}
	return opened, e.o.redact(err)
}

func (e *Engine) open(ctx context.Context, o room.OpenOptions, receive func(from string, msg []byte)) (room.Opened, error) {
	switch {
	case e.invalid != nil:
		return room.Opened{}, e.invalid
	case o.Cluster == "":
		return room.Opened{}, errors.New("natsengine: OpenOptions.Cluster is empty")
	case !nodeName.MatchString(o.Node):
		return room.Opened{}, errors.New("natsengine: OpenOptions.Node must have 1 to 80 of A-Z, a-z, 0-9, _ and -")
	case receive == nil:
		return room.Opened{}, errors.New("natsengine: receive is nil")
	}
	c, err := e.connect(ctx)
	if err != nil {
		return room.Opened{}, err
	}
	s := &session{client: c, names: namesOf(e.o.Prefix, o.Cluster), node: o.Node, notes: newNotes(), lost: make(chan struct{})}
	before := e.current()
	state, err := c.prepare(ctx, &e.o, s.names, o.Cluster, before)
	if before == nil && errors.Is(err, errMaxPayload) {
		e.disconnect()
	}
	if err != nil {
		return room.Opened{}, err
	}
	s.epoch, s.acks = state.epoch, &acks{}
	if before != nil && !before.isLost() && before.epoch == s.epoch {
		s.acks = before.acks
	}
	largest := c.largest(state.config)
	s.largest.Store(int64(largest))
	if before != nil {
		before.stop() // its messages are for the earlier name
	}
	s.mail = &mailbox{node: o.Node, receive: receive}
	if err := s.listen(ctx, c); err != nil {
		s.stop()
		return room.Opened{}, err
	}
	e.mu.Lock()
	e.session = s
	e.mu.Unlock()
	return room.Opened{Window: state.window(), MaxRecord: largest}, nil
}

// listen subscribes to the bell of the log and to messages of other nodes.
func (s *session) listen(ctx context.Context, c *client) error {
	for subject, f := range map[string]nats.MsgHandler{
		s.names.bell:         s.bell.rang,
		s.names.node(s.node): s.mail.deliver,
		s.names.everyNode():  s.mail.deliver,
	} {
		sub, err := c.subscribe(subject, f)
		if err != nil {
			return err
		}
		s.subs = append(s.subs, sub)
	}
	// The answer proves that the server has the subscriptions.
	if err := c.attempt(ctx, c.current().nc.FlushWithContext); err != nil {
		return fmt.Errorf("natsengine: subscribe: %w", err)
	}
	for _, sub := range s.subs {
		if err := c.current().nc.LastError(); err != nil && strings.Contains(err.Error(), `"`+sub.subject+`"`) {
			return fmt.Errorf("natsengine: subscribe to %s: %w", sub.subject, err)
		}
	}
	return nil
}

// stop ends what listen began. receive is not called after it has returned.
func (s *session) stop() {
	for _, sub := range s.subs {
		s.client.unsubscribe(sub)
	}
	s.mail.stop()
}

// Close implements [room.Engine].
func (e *Engine) Close() error {
	e.cancel()
	defer time.AfterFunc(closeTimeout, e.abort).Stop()
	e.opening.Lock() // Open ends, and leaves no session that is not stopped here
	defer e.opening.Unlock()
	e.mu.Lock()
	c, s := e.client, e.session
	e.mu.Unlock()
	if s != nil {
		s.stop()
	}
	if c != nil {
		c.close()
	}
	return nil
}

// abort closes the network connection.
func (e *Engine) abort() {
	e.mu.Lock()
	c := e.client
	e.mu.Unlock()
	if c != nil {
		c.abort()
	}
}

// current returns the session of the last Open that succeeded, or nil.
func (e *Engine) current() *session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.session
}

// use returns the connection and the session.
func (e *Engine) use() (*client, *session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.ctx.Err() != nil:
		return nil, nil, errClosed
	case e.session == nil:
		return nil, nil, errNotOpen
	}
	return e.client, e.session, nil
}

// running returns a context that also ends with Close.
func (e *Engine) running(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(e.ctx, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// disconnect ends the connection before a session uses it. The next call of Open makes another one.
func (e *Engine) disconnect() {
	e.mu.Lock()
	c := e.client
	e.client = nil
	e.mu.Unlock()
	if c != nil {
		c.close()
	}
}

// connect returns the connection of the engine, which the first call makes.
func (e *Engine) connect(ctx context.Context) (*client, error) {
	e.mu.Lock()
	c := e.client
	e.mu.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := dial(ctx, e.ctx, &e.o)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	closed := e.ctx.Err() != nil
	if !closed {
		e.client = c
	}
	e.mu.Unlock()
	if closed {
		c.close()
		return nil, errClosed
	}
	return c, nil
}
