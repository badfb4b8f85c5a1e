package peer

import (
	"net/http"

	"github.com/lxzan/gws"
)

// gwsServer broadcasts with gws.NewBroadcaster, as the README of github.com/lxzan/gws does, with a
// goroutine per connection that reads.
type gwsServer struct {
	gws.BuiltinEventHandler
	rooms    *rooms[*gws.Conn]
	upgrader *gws.Upgrader
}

const gwsRoom = "room"

func newGWS(Options) (Server, error) {
	s := &gwsServer{rooms: newRooms[*gws.Conn]()}
	s.upgrader = gws.NewUpgrader(s, &gws.ServerOption{})
	return s, nil
}

func (s *gwsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := s.upgrader.Upgrade(w, r)
	if err != nil {
		return
	}
	c.Session().Store(gwsRoom, s.rooms.join(roomOf(r), c))
	go c.ReadLoop()
}

// OnClose is called by gws when a connection has ended.
func (s *gwsServer) OnClose(c *gws.Conn, _ error) {
	if room, ok := c.Session().Load(gwsRoom); ok {
		room.(*members[*gws.Conn]).leave(c)
	}
}

// OnMessage is called by gws for a message of a client.
func (s *gwsServer) OnMessage(_ *gws.Conn, m *gws.Message) { m.Close() }

func (s *gwsServer) Publish(room string, payload []byte) error {
	b := gws.NewBroadcaster(gws.OpcodeText, payload)
	defer b.Close()
	// A client that is gone is taken out by OnClose.
	s.rooms.each(room, func(c *gws.Conn) { b.Broadcast(c) })
	return nil
}
