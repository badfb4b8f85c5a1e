package client

import "context"

// Link is a WebSocket connection.
type Link = link

// Start is Dial with connections that the test provides.
func Start(ctx context.Context, opts *Options, dial func(ctx context.Context, token string) (Link, error)) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return newClient(ctx, o, dial, false).await(ctx)
}

// StartLazy is Open with connections that the test provides.
func StartLazy(opts *Options, dial func(ctx context.Context, token string) (Link, error)) (*Client, error) {
	o, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	return newClient(context.Background(), o, dial, true), nil
}

// Refuse returns the error of a handshake that the server answered with an HTTP status.
func Refuse(status int) error { return &HandshakeError{Status: status} }

// ErrTooBig is the error of Read for a message over the limit.
var ErrTooBig = errTooBig

// Held returns how much a server has made the client keep: the bytes in queues and lists, and the
// requests that wait to be written.
func Held(c *Client) (bytes, messages int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := func(q interface{ held() int }) { bytes += q.held() }
	held(c.notices)
	for _, p := range c.plans {
		held(p.queue)
		bytes += p.roster.bytes
	}
	if n := c.conn; n != nil {
		messages = len(n.outbox) + len(n.urgent)
	}
	return bytes, messages
}

func (q *queue[T]) held() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes
}

// DialSocket opens a link over a socket.
var DialSocket = dialSocket

// Versions returns how many versions a plan keeps.
func Versions(p *Plan) int {
	p.client.mu.Lock()
	defer p.client.mu.Unlock()
	return len(p.versions.recent) + len(p.versions.older)
}
