package peer

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
)

// raw is the floor: one net.Conn.Write of the same bytes for each connection, in the publisher's
// goroutine. It has no reader, no queue, no deadline, no closing handshake, so it is not fit for
// use: it shows what the kernel takes.
type raw struct{ rooms *rooms[*rawConn] }

type rawConn struct{ net.Conn }

func newRaw(Options) (Server, error) { return &raw{newRooms[*rawConn]()}, nil }

func (s *raw) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrade(w, r)
	if err != nil {
		return // the client sees its connection end
	}
	s.rooms.join(roomOf(r), &rawConn{conn})
}

func (s *raw) Publish(room string, payload []byte) error {
	frame := textFrame(payload)
	// A client that is gone is not this server's business.
	s.rooms.each(room, func(c *rawConn) { c.Write(frame) })
	return nil
}

// upgrade answers the WebSocket handshake by hand.
func upgrade(w http.ResponseWriter, r *http.Request) (net.Conn, error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	hijacker, ok := w.(http.Hijacker)
	if key == "" || !ok {
		http.Error(w, "not a WebSocket handshake", http.StatusBadRequest)
		return nil, errors.New("peer: not a WebSocket handshake")
	}
	conn, _, err := hijacker.Hijack()
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	b := make([]byte, 0, 160)
	b = append(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	b = base64.StdEncoding.AppendEncode(b, sum[:])
	b = append(b, "\r\n\r\n"...)
	if _, err := conn.Write(b); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// textFrame is one final, unmasked text frame.
func textFrame(payload []byte) []byte {
	b := make([]byte, 0, len(payload)+10)
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x81, byte(n))
	case n < 1<<16:
		b = append(b, 0x81, 126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x81, 127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(b, payload...)
}
