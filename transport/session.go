package transport

import (
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// session receives what a connection's reader reads. No method blocks.
type session interface {
	// Receive accepts one complete text message of valid UTF-8. It copies what it keeps.
	Receive(message []byte)
	// Seen records that the client is alive. The reader calls it after every read that returned
	// bytes.
	Seen()
	// ControlFrame counts a frame that costs the server something and carries no message.
	ControlFrame()
	// WriteControl queues a control frame, to be written between two other frames.
	WriteControl(frame []byte)
	// CloseFrame queues a close frame as the last frame, and finishes the sink once it is written.
	// It has no effect if the connection is already being closed.
	CloseFrame(code protocol.CloseCode, frame []byte)
	// Close begins to close the connection from the server's side.
	Close(code protocol.CloseCode)
	// End reports that the connection has ended. The reader calls it exactly once, after all other
	// calls.
	End(code protocol.CloseCode)
}

var (
	_ session = (*room.Session)(nil)
	_ session = refused{}
)

// refused is the session of a connection that was upgraded only to send a goodbye. The handler
// writes the goodbye itself, so refused ignores everything.
type refused struct{}

func (refused) Receive([]byte)                        {}
func (refused) Seen()                                 {}
func (refused) ControlFrame()                         {}
func (refused) WriteControl([]byte)                   {}
func (refused) CloseFrame(protocol.CloseCode, []byte) {}
func (refused) Close(protocol.CloseCode)              {}
func (refused) End(protocol.CloseCode)                {}
