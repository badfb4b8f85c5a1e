package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"nhooyr.io/websocket"

	"github.com/planrooms/planrooms/protocol"
)

// This is the only file that imports the WebSocket library.

const (
	// closeTimeout bounds the wait for the peer's close frame.
	closeTimeout = time.Second
	// keepBuffer is the largest read buffer that a socket keeps between messages.
	keepBuffer = 64 << 10
)

// socket is a link over the WebSocket library. The library closes the connection when the context
// of a read or write ends, as a link must, but not always immediately: Cut ends the network
// connection below as well.
type socket struct {
	ws    *websocket.Conn
	nc    net.Conn // nil if the HTTP client does not report it
	limit int64    // of one message, in bytes
	buf   bytes.Buffer
}

var _ link = (*socket)(nil)

// dialSocket opens a WebSocket connection.
func dialSocket(ctx context.Context, target string, header http.Header, httpClient *http.Client, limit int) (link, error) {
	direct := *httpClient
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	var nc net.Conn
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { nc = i.Conn },
	})
	ws, resp, err := websocket.Dial(ctx, target, &websocket.DialOptions{
		HTTPClient:   &direct,
		HTTPHeader:   header,
		Subprotocols: []string{protocol.Subprotocol},
	})
	if err != nil {
		var withURL *url.Error
		switch {
		case resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
			return nil, &HandshakeError{Status: resp.StatusCode, retryAfter: retryAfter(resp.Header)}
		case errors.As(err, &withURL):
			err = withURL.Err // the URL may contain a secret
		}
		return nil, fmt.Errorf("client: handshake: %w", err)
	}
	ws.SetReadLimit(-1) // Read checks the limit, with errTooBig
	return &socket{ws: ws, nc: nc, limit: int64(limit)}, nil
}

// retryAfter returns the header Retry-After if it has a number of seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
}

// Read implements link. After a close frame of the peer the error is a *CloseError.
func (s *socket) Read(ctx context.Context) ([]byte, error) {
	typ, r, err := s.ws.Reader(ctx)
	if err != nil {
		return nil, readError(err)
	}
	if s.buf.Cap() > keepBuffer {
		s.buf = bytes.Buffer{}
	}
	s.buf.Reset()
	n, err := s.buf.ReadFrom(io.LimitReader(r, s.limit+1))
	switch {
	case err != nil:
		return nil, readError(err)
	case n > s.limit:
		return nil, errTooBig
	case typ != websocket.MessageText:
		return nil, nil
	}
	return s.buf.Bytes(), nil
}

func readError(err error) error {
	var e websocket.CloseError
	if errors.As(err, &e) {
		return &CloseError{Code: protocol.CloseCode(e.Code), Reason: e.Reason, Remote: true}
	}
	return fmt.Errorf("client: connection lost: %w", err)
}

// Write implements link.
func (s *socket) Write(ctx context.Context, message []byte) error {
	if err := s.ws.Write(ctx, websocket.MessageText, message); err != nil {
		return fmt.Errorf("client: connection lost: %w", err)
	}
	return nil
}

// Close implements link. Without Cut the library would wait 5 s to write and 5 s for the answer.
func (s *socket) Close(code protocol.CloseCode) {
	defer time.AfterFunc(closeTimeout, s.Cut).Stop()
	_ = s.ws.Close(websocket.StatusCode(code), "") // the connection ends with an error too
}

// Cut implements link. Reads and writes fail, and the library then closes the connection.
func (s *socket) Cut() {
	if s.nc != nil {
		_ = s.nc.SetDeadline(time.Unix(1, 0)) // fails if the connection is closed already
	}
}

// Release implements link.
func (s *socket) Release() {
	s.Cut()
	_ = s.ws.CloseNow() // fails if the connection is closed already
}
