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

// Held is what a client keeps because a server has sent it: bytes in queues and lists, and messages that wait to be written.
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

// DialSocket opens a link on a socket.
var DialSocket = dialSocket
