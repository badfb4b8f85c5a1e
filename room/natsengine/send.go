package natsengine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room"
)

// fromHeader has the name of the node that sent a message.
const fromHeader = "Planrooms-From"

// Send implements [room.Engine]. It publishes with core NATS, and returns once the message is in
// the buffer of the connection. While the connection is lost it fails.
func (e *Engine) Send(ctx context.Context, to string, msg []byte) error {
	c, s, err := e.use()
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return whyEnded(ctx)
	case len(msg) > room.MaxMessage:
		return fmt.Errorf("natsengine: a message has at most %d bytes, not %d", room.MaxMessage, len(msg))
	}
	subject := s.names.everyNode()
	if to != "" {
		if !nodeName.MatchString(to) {
			return errors.New("natsengine: this is not the name of a node")
		}
		subject = s.names.node(to)
	}
	if !c.currentLink().up {
		return fmt.Errorf("natsengine: send: %w", errUnconnected)
	}
	if err := c.current().nc.PublishMsg(&nats.Msg{Subject: subject, Data: msg, Header: nats.Header{fromHeader: {s.node}}}); err != nil {
		return e.o.redact(fmt.Errorf("natsengine: send: %w", plain(err)))
	}
	return nil
}

// mailbox passes messages of other nodes to the hub.
type mailbox struct {
	node    string
	receive func(from string, msg []byte)

	mu     sync.Mutex // makes calls of receive one after the other, and guards closed
	closed bool
}

// deliver takes a message of a subscription. Those of this node itself to all are dropped.
func (b *mailbox) deliver(m *nats.Msg) {
	from := m.Header.Get(fromHeader)
	if from == "" || from == b.node {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.closed {
		b.receive(from, m.Data)
	}
}

// stop ends the calls of receive: there is none after it has returned.
func (b *mailbox) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
