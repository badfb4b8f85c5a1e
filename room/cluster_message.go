package room

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

// message is what another node has sent.
type message struct {
	from string
	data []byte
}

// maxMessages is how many messages of other nodes wait, of maxBacklog bytes in all; further ones
// are dropped. The next note of a node repeats its acks, and the lists of participants show a gap.
// A Notify is lost.
const maxMessages = 4096

// receive takes a message of the engine. It does not block. A message that no node sends, since it
// is larger than MaxMessage, is ignored.
func (c *cluster) receive(from string, data []byte) {
	if len(data) > MaxMessage {
		return
	}
	if !c.messages.add(message{from, data}, len(data)) {
		c.logs.warn("engine", "messages", "room: messages of other nodes were dropped")
	}
}

// deliver handles messages until close.
func (c *cluster) deliver() {
	for {
		select {
		case m := <-c.messages.queue:
			c.handle(&m)
			c.messages.handled(len(m.data))
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
			c.queueNotify(&n)
		}
	}
}

// maxNotifies is how many events of Hub.Notify from other nodes wait, of at most MaxMessage bytes
// each; further ones are dropped. Only a slow Observer.Notified makes them wait.
const maxNotifies = 256

func (c *cluster) queueNotify(n *record.Notify) {
	if !c.notifies.add(func() { c.replica.notify(n) }) {
		c.logs.warn("engine", "notify", "room: events of Notify from other nodes were dropped; Observer.Notified is too slow")
	}
}

// send sends a message to a node or, with "", to all others. It may be lost.
func (c *cluster) send(to string, kind record.MessageKind, body []byte) {
	c.sendWithin(c.ctx, to, kind, body)
}

// sendWithin is send until ctx ends.
func (c *cluster) sendWithin(ctx context.Context, to string, kind record.MessageKind, body []byte) {
	ctx, cancel := context.WithTimeout(ctx, nodeTTL)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	err := errNotOpen
	select {
	case <-c.opened:
		err = c.engine.Send(ctx, to, record.AppendMessage(nil, c.hash, kind, body))
	default:
	}
	if err != nil && c.ctx.Err() == nil {
		c.logs.warn("engine", "send", "room: a message to another node was not sent", "error", err)
	}
}

// notify sends the event of a Hub.Notify to the other nodes.
func (c *cluster) notify(ctx context.Context, userID string, t protocol.Type, payload []byte) {
	n := record.Notify{UserID: userID, Type: t, Payload: payload}
	c.sendWithin(ctx, "", record.MessageNotify, n.Append(nil))
}
