// Package tap shows the messages of WebSocket connections as they pass, without changing them.
package tap

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

// Tap is the transport of an HTTP client that opens WebSocket connections. It calls Opened for each
// connection, and then the functions that this has returned.
type Tap struct {
	Base   http.RoundTripper
	Opened func(resp *http.Response) Listener
}

// Listener gets the messages of one connection. Received and Sent may be called at the same time.
type Listener struct {
	Received func(text []byte) // by the client; text is valid until it returns
	Sent     func(text []byte)
	Closed   func() // once, after the last call of Received
}

// RoundTrip implements http.RoundTripper. It does not offer extensions, so messages are not
// compressed.
func (t *Tap) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Del("Sec-WebSocket-Extensions")
	resp, err := t.Base.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	body, ok := resp.Body.(io.ReadWriteCloser)
	if !ok {
		return nil, errors.Join(fmt.Errorf("tap: a %T is not a connection", resp.Body), resp.Body.Close())
	}
	l := t.Opened(resp)
	resp.Body = &connection{body: body, in: scanner{text: l.Received}, out: scanner{text: l.Sent}, closed: sync.OnceFunc(l.Closed)}
	return resp, nil
}

// connection passes the bytes of a connection, and looks at them. A client has at most one call of
// Read and one of Write at a time.
type connection struct {
	body    io.ReadWriteCloser
	in, out scanner
	closed  func()
	reading sync.Mutex // locked during Read
}

func (c *connection) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	n, err := c.body.Read(b)
	c.in.scan(b[:n])
	if err != nil {
		c.closed()
	}
	return n, err
}

// Write shows the bytes first: the answer may arrive before it returns.
func (c *connection) Write(b []byte) (int, error) {
	c.out.scan(b)
	return c.body.Write(b)
}

// Close ends a Read under way, and waits until its bytes have been shown.
func (c *connection) Close() error {
	err := c.body.Close()
	c.reading.Lock()
	defer c.reading.Unlock()
	c.closed()
	return err
}
