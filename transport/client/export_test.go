package client

import "context"

// Link is one WebSocket connection, as a client sees it.
type Link = link

// Start is Dial with connections of the test's own.
func Start(ctx context.Context, opts *Options, dial func(ctx context.Context, token string) (Link, error)) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return start(ctx, o, dial)
}

// Refuse is the error of a handshake that was answered with an HTTP status.
func Refuse(status int) error { return &HandshakeError{Status: status} }

// ErrTooBig is the error of Read for a message over the limit.
var ErrTooBig = errTooBig
