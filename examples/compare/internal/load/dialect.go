package load

import (
	"bytes"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

// dialect is what a client of an implementation sends after the WebSocket handshake, and how it
// knows that it is in its room.
type dialect struct {
	token bool // the request carries one, and does not name the room
	// First message of the client; nil if being connected is being in the room.
	hello    func(room string) []byte
	welcomes func(message []byte) bool // recognizes the answer to hello
	// Message of the server that asks for pong; nil if it pings in control frames.
	ping   []byte
	pong   []byte
	settle time.Duration // after the last join, until the server has notified all members
	crowds time.Duration // the same in rooms of more than 100; 0: no longer than in others
}

func dialectOf(impl string) dialect {
	switch impl {
	case peer.Ours, peer.Metrics, peer.OTel:
		return dialect{
			token: true,
			hello: func(room string) []byte { return []byte(`{"type":"join-plan","planId":"` + room + `"}`) },
			welcomes: func(m []byte) bool {
				return bytes.HasPrefix(m, []byte(`{"type":"join-plan"`)) && bytes.Contains(m, []byte(`"success":true`))
			},
			settle: 200 * time.Millisecond,
			crowds: 1500 * time.Millisecond, // a crowded room gets its count once a second
		}
	case "centrifuge", peer.CentrifugePresence:
		return dialect{
			hello:    func(string) []byte { return []byte(`{"id":1,"connect":{}}`) },
			welcomes: func(m []byte) bool { return bytes.Contains(m, []byte(`"connect":{`)) },
			ping:     []byte("{}"),
			pong:     []byte("{}"),
			settle:   200 * time.Millisecond,
		}
	}
	return dialect{settle: 200 * time.Millisecond}
}
