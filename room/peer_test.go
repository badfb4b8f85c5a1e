package room_test

import (
	"fmt"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// delivered is a message as a peer read it.
type delivered struct {
	msg protocol.Message
	end int64 // how many bytes the client had read with the message
}

// peer is a connection whose client can read at any moment. It records the byte at which each
// message ended. The fields may be changed until it connects.
type peer struct {
	*roomtest.Sink
	opts     roomtest.SinkOptions
	capacity int // bytes that a stalled connection takes
	session  *room.Session
}

// newPeer returns a peer. Peers with different marks have different framings, so that a room has
// members of both.
func newPeer(mark byte, capacity int) *peer {
	p := &peer{capacity: capacity}
	p.opts.Framing.Mark = fmt.Sprintf("frame%d ", mark)
	return p
}

// connect connects the peer; the hub's error is returned.
func (p *peer) connect(h *room.Hub, id auth.Identity, clientID string, v auth.Verifier) error {
	p.Sink = roomtest.NewSink(&p.opts)
	err := p.Connect(h, id, &room.ConnectOptions{ClientID: clientID, Verifier: v})
	p.session = p.Session()
	return err
}

// bye closes the connection as a client does.
func (p *peer) bye() {
	p.SendClose(protocol.CloseNormal)
	p.End(protocol.CloseNormal)
}

func (p *peer) stall()    { p.Stall(p.capacity) }
func (p *peer) unstall()  { p.Unstall() }
func (p *peer) sip(n int) { p.Sip(n) }

// take returns the messages read since the last call.
func (p *peer) take() []delivered {
	var all []delivered
	for _, m := range p.Messages() {
		all = append(all, delivered{m.Message, m.End})
	}
	return all
}

func (p *peer) isClosed() bool           { return p.State().Over }
func (p *peer) isStalled() bool          { return p.State().Stalled }
func (p *peer) bytes() int64             { return p.Counts().Bytes.Load() }
func (p *peer) code() protocol.CloseCode { return p.State().Code }
func (p *peer) faultsSeen() []string     { return p.Faults() }
func (p *peer) end(c protocol.CloseCode) { p.End(c) }

// wait blocks until cond holds or d has passed.
func (p *peer) wait(d time.Duration, cond func() bool) bool { return p.Wait(d, cond) }

func (p *peer) request(r protocol.Request) { p.Request(r) }

func (p *peer) join(planID string, since *protocol.Position) { p.Join(planID, since) }

func (p *peer) leave(planID string) { p.Leave(planID) }
