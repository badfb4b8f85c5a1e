package room

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// message is one that another node has sent.
type message struct {
	from string
	data []byte
}

// maxMessages is how many messages of other nodes wait. Those beyond are dropped: a node whose ack
// is missing says in its next note what it has done, and a gap in the lists of participants is
// noticed.
const maxMessages = 4096

// receive takes a message of the engine. It does not block.
func (c *cluster) receive(from string, data []byte) {
	select {
	case c.messages <- message{from, data}:
	default:
		c.logs.warn("engine", "messages", "room: messages of other nodes were dropped")
	}
}

// deliver handles messages until the cluster ends.
func (c *cluster) deliver() {
	for {
		select {
		case m := <-c.messages:
			c.handle(&m)
		case <-c.ctx.Done():
			return
		}
	}
}

// handle handles one message. One that cannot be read is ignored.
func (c *cluster) handle(m *message) {
	defer func() {
		if v := recover(); v != nil {
			c.logger.Error("room: a message of another node caused a panic", panicAttrs(v)...)
		}
	}()
	hash, kind, body, err := record.ParseMessage(m.data)
	if err != nil || hash != c.hash {
		return
	}
	switch kind {
	case record.MessageAck:
		if a, err := record.ParseAck(body); err == nil {
			c.acked(ack{m.from, a})
		}
	case record.MessagePresence, record.MessagePresenceAsk, record.MessagePresencePage:
		c.rosters.receive(m.from, kind, body)
	case record.MessageNotify:
		if n, err := record.ParseNotify(body); err == nil {
			c.start(func() { c.replica.notify(&n) })
		}
	}
}

// send sends a message to a node, or with "" to all others. It may get lost.
func (c *cluster) send(to string, kind record.MessageKind, body []byte) {
	ctx, cancel := context.WithTimeout(c.ctx, c.timing.ttl)
	defer cancel()
	if err := c.engine.Send(ctx, to, record.AppendMessage(nil, c.hash, kind, body)); err != nil && c.ctx.Err() == nil {
		c.logs.warn("engine", "send", "room: a message to another node was not sent", "error", err)
	}
}

// leave is the end of the node: the others need not wait for it any more. Events can be published
// until close.
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

// close ends the engine.
func (c *cluster) close() {
	c.closed.Store(true)
	c.cancel()
	if err := c.engine.Close(); err != nil {
		c.logs.warn("engine", "close", "room: the engine cannot be closed", "error", err)
	}
}
