package room

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Framing turns messages into the bytes of one transport. A value is stateless and comparable: the
// hub frames an event once for all connections whose framings are equal.
//
// Each method appends to dst and returns the extended slice; payload is neither kept nor modified.
type Framing interface {
	// AppendMessage appends one complete message.
	AppendMessage(dst, payload []byte) []byte
	// AppendPing appends a request for a sign of life.
	AppendPing(dst []byte) []byte
	// AppendClose appends the last frame of a connection.
	AppendClose(dst []byte, code protocol.CloseCode, reason string) []byte
}

// Sink is what the hub needs from a connection. The hub never calls TryWrite and Write
// concurrently. It may call Finish and Close at any time, from any goroutine. The bytes passed to
// TryWrite and Write are shared with other connections: a sink must not modify or keep them. An
// impossible count ends the connection, as an error does.
type Sink interface {
	// Framing is the same for the whole life of the sink.
	Framing() Framing

	// TryWrite writes the bytes that the connection takes immediately, and returns their number. It
	// never blocks. If n < len(b) and the error is nil, the hub calls Write from a goroutine of the
	// connection's own. A sink that cannot write without blocking always returns 0 and nil. A sink
	// that does not know exactly how much fits may return less than fits.
	TryWrite(b []byte) (n int, err error)

	// Write blocks until the connection took at least one byte, and returns how many. It returns
	// [os.ErrDeadlineExceeded] once the deadline has passed without one, and another error after
	// Close.
	//
	// A Write that took bytes after 100 ms or longer had to wait for the peer. It is a sign of
	// life, as a byte from the peer is: it keeps a slow reader from being closed for a ping that
	// waits behind other bytes. A shorter Write is not, because the bytes may only have filled a
	// buffer of the system.
	Write(b []byte, deadline time.Time) (n int, err error)

	// Finish is called when the last frame has been written. The sink then completes the closing
	// handshake, within about a second, and releases the connection. Finish does not block.
	Finish()

	// Close cuts the connection and unblocks Write. It does not block and may be called more than
	// once.
	Close() error
}
