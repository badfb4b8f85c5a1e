package peer

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

const (
	gobwasQueue       = 256
	gobwasWriteWithin = 5 * time.Second
)

// gobwas compiles a frame once. Inline it writes it in the publisher's goroutine, under the
// connection's mutex, so that one slow client holds up the room for up to its deadline; with a
// queue, a goroutine per connection writes.
type gobwas struct {
	rooms  *rooms[*gobwasConn]
	queued bool
}

type gobwasConn struct {
	net.Conn
	queue chan []byte // nil inline; closed once the connection is out of its room

	mu sync.Mutex // held for a write: those of the publisher and the answers to control frames
}

func newGobwasInline(Options) (Server, error) { return &gobwas{rooms: newRooms[*gobwasConn]()}, nil }

func newGobwasQueue(Options) (Server, error) {
	return &gobwas{rooms: newRooms[*gobwasConn](), queued: true}, nil
}

func (s *gobwas) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	c := &gobwasConn{Conn: conn}
	if s.queued {
		c.queue = make(chan []byte, gobwasQueue)
		go c.writeQueue()
	}
	go c.read(s.rooms.join(roomOf(r), c))
}

// read answers pings and close frames until the connection ends.
func (c *gobwasConn) read(room *members[*gobwasConn]) {
	defer c.Close()
	for {
		if _, _, err := wsutil.ReadClientData(c); err != nil {
			break
		}
	}
	room.leave(c)
	if c.queue != nil {
		close(c.queue) // no goroutine publishes to it any more: that is done under the room's lock
	}
}

// Write is what both the publisher and wsutil call.
func (c *gobwasConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A closed connection fails in Write as well.
	c.SetWriteDeadline(time.Now().Add(gobwasWriteWithin))
	return c.Conn.Write(p)
}

func (c *gobwasConn) writeQueue() {
	for frame := range c.queue {
		if _, err := c.Write(frame); err != nil {
			c.Close()
		}
	}
}

func (s *gobwas) Publish(room string, payload []byte) error {
	frame, err := ws.CompileFrame(ws.NewTextFrame(payload))
	if err != nil {
		return err
	}
	s.rooms.each(room, func(c *gobwasConn) {
		if !s.queued {
			c.Write(frame) // a client that is gone is taken out by its reader
			return
		}
		select {
		case c.queue <- frame:
		default:
			c.Close() // too slow
		}
	})
	return nil
}
