package target

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
)

// A stream of events to publish takes the place of requests, which would add the price of net/http
// to every event. Each is the length of the room in 2 bytes and that of the payload in 4, big
// endian, then the room, then the payload.
const streamHeader = 2 + 4

// maxPayload bounds what a stream makes the server allocate.
const maxPayload = 1 << 20

// AppendEvent appends one event to the bytes of a stream.
func AppendEvent(dst []byte, room string, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(room)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(payload)))
	dst = append(dst, room...)
	return append(dst, payload...)
}

// publish calls what a host calls in its own process, in the goroutine that reads the stream.
func (t *Target) publish(w http.ResponseWriter, _ *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: stream\r\n\r\n"); err != nil {
		return
	}
	// An error ends the stream, which the load generator reports.
	_ = readEvents(bufio.NewReaderSize(buffered, 64<<10), t.server.Publish)
}

func readEvents(r io.Reader, publish func(room string, payload []byte) error) error {
	var header [streamHeader]byte
	var name []byte
	rooms := map[string]string{} // one string for each room, so that an event allocates none
	for {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(header[2:])
		if size > maxPayload {
			return fmt.Errorf("target: payload of %d bytes", size)
		}
		name = append(name[:0], make([]byte, binary.BigEndian.Uint16(header[:]))...)
		if _, err := io.ReadFull(r, name); err != nil {
			return err
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(r, payload); err != nil {
			return err
		}
		room, ok := rooms[string(name)]
		if !ok {
			room = string(name)
			rooms[room] = room
		}
		if err := publish(room, payload); err != nil {
			return err
		}
	}
}
