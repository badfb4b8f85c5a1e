package client

import (
	"context"

	"github.com/planrooms/planrooms/protocol"
)

// link is an open WebSocket connection.
//
// Read returns the next text message, which is valid until the next Read. It returns a binary
// message as an empty one. One goroutine calls Read, another one Write and Close. They fail when
// their context has ended or Cut was called; the link is unusable from then on.
type link interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	// Close sends a close frame and waits up to closeTimeout for that of the peer, while another
	// goroutine calls Read.
	Close(code protocol.CloseCode)
	// Cut ends the connection immediately. It does not block, may be called more than once, and
	// concurrently with the other methods.
	Cut()
	// Release ends the connection and waits for its goroutines. It is the last call.
	Release()
}

// dialFunc opens a link. ctx bounds the handshake, not the link. The error for an HTTP answer other
// than an upgrade is a [HandshakeError].
type dialFunc func(ctx context.Context, token string) (link, error)
