package transport

import (
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// session is whom a connection's reader talks to. No method blocks.
type session interface {
	// Receive takes one complete text message of valid UTF-8 and copies what it keeps.
	Receive(message []byte)
	// Seen is told of every read: any byte is a sign of life.
	Seen()
	// ControlFrame counts a frame that costs something and carries no message.
	ControlFrame()
	// WriteControl has a control frame written at the next frame boundary.
	WriteControl(frame []byte)
	// CloseFrame has a close frame written as the last thing, and the sink finished after it. Nothing comes of it once
	// the closing has begun.
	CloseFrame(code protocol.CloseCode, frame []byte)
	// Close starts the closing from this side.
	Close(code protocol.CloseCode)
	// End is called exactly once, as the last of all calls.
	End(code protocol.CloseCode)
}

var (
	_ session = (*room.Session)(nil)
	_ session = refused{}
)

// refused is the session of a connection that was accepted only to be told why it is not: the handler itself writes
// to it, and nobody listens.
type refused struct{}

func (refused) Receive([]byte)                        {}
func (refused) Seen()                                 {}
func (refused) ControlFrame()                         {}
func (refused) WriteControl([]byte)                   {}
func (refused) CloseFrame(protocol.CloseCode, []byte) {}
func (refused) Close(protocol.CloseCode)              {}
func (refused) End(protocol.CloseCode)                {}
