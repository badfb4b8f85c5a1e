package peer

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// Of the chat example of github.com/coder/websocket.
const (
	coderQueue       = 16
	coderWriteWithin = 5 * time.Second
)

// coder follows that example: a channel per subscriber, the handler's goroutine writes, CloseRead
// reads.
type coder struct{ rooms *rooms[*coderSubscriber] }

type coderSubscriber struct {
	conn     *websocket.Conn
	messages chan []byte
}

func newCoder(Options) (Server, error) { return &coder{newRooms[*coderSubscriber]()}, nil }

func (s *coder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	sub := &coderSubscriber{conn, make(chan []byte, coderQueue)}
	defer s.rooms.join(roomOf(r), sub).leave(sub)
	ctx := conn.CloseRead(context.Background())
	for {
		select {
		case message := <-sub.messages:
			if sub.write(ctx, message) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (sub *coderSubscriber) write(ctx context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, coderWriteWithin)
	defer cancel()
	return sub.conn.Write(ctx, websocket.MessageText, message)
}

func (s *coder) Publish(room string, payload []byte) error {
	s.rooms.each(room, func(sub *coderSubscriber) {
		select {
		case sub.messages <- payload:
		default:
			go sub.conn.Close(websocket.StatusPolicyViolation, "connection too slow to keep up with messages")
		}
	})
	return nil
}
