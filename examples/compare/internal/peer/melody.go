package peer

import (
	"net/http"

	"github.com/olahol/melody"
)

const melodyRoom = "room"

// melodyServer broadcasts with BroadcastFilter on a key of the session, as the documentation of
// github.com/olahol/melody does for rooms: the filter sees every session of the process.
type melodyServer struct{ m *melody.Melody }

func newMelody(Options) (Server, error) { return &melodyServer{melody.New()}, nil }

func (s *melodyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// An error ends the connection.
	s.m.HandleRequestWithKeys(w, r, map[string]any{melodyRoom: roomOf(r)})
}

func (s *melodyServer) Publish(room string, payload []byte) error {
	return s.m.BroadcastFilter(payload, func(session *melody.Session) bool {
		v, _ := session.Get(melodyRoom)
		return v == room
	})
}
