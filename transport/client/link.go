package client

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
)

// link is one open WebSocket connection, as much of it as the client needs.
//
// Read returns the next text message; it may be overwritten by the next Read. A binary message is returned as an empty one. One goroutine
// reads, another calls Write and Close. Each of them fails once its context has ended or Cut was called, and the link is then of no use any more.
type link interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	// Close says goodbye with a close frame and waits a short while for that of the peer, which Read must be there to take.
	Close(code protocol.CloseCode)
	// Cut ends the connection at once. It never blocks, may be called at any time, from anywhere, and more than once.
	Cut()
	// Release waits until nothing of the link is left. It is the last call.
	Release()
}

// dialFunc opens a link. ctx bounds the handshake, not the life of the link. An HTTP answer other than an upgrade is a [HandshakeError].
type dialFunc func(ctx context.Context, token string) (link, error)
