package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// A socket is a WebSocket connection in the fewest lines: what a viewer needs of RFC 6455, one
// goroutine for reading and small buffers, so that thousands of them do not disturb what they
// measure. One goroutine calls read; write and cut may be called from any.
type socket struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte // of the message that read has returned

	mu sync.Mutex // guards writing to conn
}

const (
	opText, opClose, opPing, opPong = 1, 8, 9, 10
	maxMessage                      = 8 << 20 // of a server; more is not a message of a plan

	handshakeTimeout = 15 * time.Second
	joinTimeout      = 15 * time.Second // a server asks its Authorize meanwhile
	writeTimeout     = 10 * time.Second
)

// refusedError is a handshake or a request that was answered with another status than it should
// have been.
type refusedError struct {
	Status     int
	Text       string // the beginning of the body
	RetryAfter time.Duration
}

func (e *refusedError) Error() string {
	s := fmt.Sprintf("HTTP status %d", e.Status)
	if e.Text != "" {
		s += fmt.Sprintf(" %q", e.Text)
	}
	return s
}

func newRefusedError(resp *http.Response) *refusedError {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // as far as it goes
	seconds, _ := time.ParseDuration(resp.Header.Get("Retry-After") + "s")
	return &refusedError{resp.StatusCode, strings.TrimSpace(string(body)), max(seconds, 0)}
}

// closedError is a close frame.
type closedError struct{ code protocol.CloseCode }

func (e *closedError) Error() string { return fmt.Sprintf("closed with %d", e.code) }

// dialSocket opens a connection. The header is sent as it is. receiveBuffer, if not 0, is that of
// the kernel, in bytes.
func dialSocket(ctx context.Context, endpoint *url.URL, header http.Header, receiveBuffer int) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn, err := dialNet(ctx, endpoint, receiveBuffer)
	if err != nil {
		return nil, err
	}
	// It ends the handshake.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	s := &socket{conn: conn, r: bufio.NewReaderSize(conn, 4096)}
	if err := s.shakeHands(endpoint, header); err != nil {
		_ = conn.Close() // the first error counts
		return nil, err
	}
	return s, nil
}

func dialNet(ctx context.Context, endpoint *url.URL, receiveBuffer int) (net.Conn, error) {
	secure := endpoint.Scheme == "wss" || endpoint.Scheme == "https"
	port := endpoint.Port()
	if port == "" {
		port = map[bool]string{false: "80", true: "443"}[secure]
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(endpoint.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok && receiveBuffer > 0 {
		if err := tcp.SetReadBuffer(receiveBuffer); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	if !secure {
		return conn, nil
	}
	client := tls.Client(conn, &tls.Config{ServerName: endpoint.Hostname(), NextProtos: []string{"http/1.1"}})
	if err := client.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return client, nil
}

func (s *socket) shakeHands(endpoint *url.URL, header http.Header) error {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never returns an error
	key := base64.StdEncoding.EncodeToString(nonce)
	h := header.Clone()
	h.Set("Connection", "Upgrade")
	h.Set("Upgrade", "websocket")
	h.Set("Sec-WebSocket-Version", "13")
	h.Set("Sec-WebSocket-Key", key)
	h.Set("Sec-WebSocket-Protocol", protocol.Subprotocol)
	req := &http.Request{Method: http.MethodGet, URL: endpoint, Host: endpoint.Host, Header: h, ProtoMajor: 1, ProtoMinor: 1}
	if err := req.Write(s.conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(s.r, req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return newRefusedError(resp)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New("the response to the handshake is not that of a WebSocket server")
	}
	return nil
}

// read returns the next message, which the next read overwrites. It answers pings, and passes over
// pongs. The error after a close frame is a *closedError.
func (s *socket) read() ([]byte, error) {
	s.buf = s.buf[:0]
	for {
		opcode, fin, n, err := s.frameHead()
		if err != nil {
			return nil, err
		}
		begin := len(s.buf)
		if n > maxMessage-uint64(begin) {
			return nil, errors.New("a message over 8 MiB")
		}
		s.buf = append(s.buf, make([]byte, n)...)
		if _, err := io.ReadFull(s.r, s.buf[begin:]); err != nil {
			return nil, err
		}
		if opcode < opClose {
			if fin {
				return s.buf, nil
			}
			continue
		}
		payload := s.buf[begin:]
		s.buf = s.buf[:begin] // a control frame may come between the fragments of a message
		switch opcode {
		case opPing:
			if err := s.write(opPong, payload); err != nil {
				return nil, err
			}
		case opClose:
			code := protocol.CloseNoStatus
			if len(payload) >= 2 {
				code = protocol.CloseCode(binary.BigEndian.Uint16(payload))
				payload = payload[:2]
			}
			_ = s.write(opClose, payload) // no message follows
			return nil, &closedError{code}
		}
	}
}

func (s *socket) frameHead() (opcode byte, fin bool, n uint64, err error) {
	var head [8]byte
	if _, err := io.ReadFull(s.r, head[:2]); err != nil {
		return 0, false, 0, err
	}
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return 0, false, 0, errors.New("a frame that a server must not send")
	}
	opcode, fin, n = head[0]&0x0f, head[0]&0x80 != 0, uint64(head[1])
	switch n {
	case 126:
		_, err = io.ReadFull(s.r, head[:2])
		n = uint64(binary.BigEndian.Uint16(head[:2]))
	case 127:
		_, err = io.ReadFull(s.r, head[:8])
		n = binary.BigEndian.Uint64(head[:8])
	}
	return opcode, fin, n, err
}

// expect has read fail if nothing comes for that long; 0 means that nothing has to.
func (s *socket) expect(within time.Duration) {
	deadline := time.Time{}
	if within > 0 {
		deadline = time.Now().Add(within)
	}
	_ = s.conn.SetReadDeadline(deadline) // fails when reading will
}

// widen gives the kernel a receive buffer of an ordinary size.
func (s *socket) widen() {
	conn := s.conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(256 << 10) // it would be slower without
	}
}

// request sends a message of the protocol.
func (s *socket) request(q protocol.Request) error {
	b, err := protocol.EncodeRequest(q)
	if err != nil {
		return err
	}
	return s.write(opText, b)
}

func (s *socket) write(opcode byte, payload []byte) error {
	frame := make([]byte, 0, 14+len(payload))
	frame = append(frame, 0x80|opcode)
	if len(payload) < 126 {
		frame = append(frame, 0x80|byte(len(payload)))
	} else {
		// Requests are short.
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(len(payload)))
	}
	mask := binary.BigEndian.AppendUint32(nil, mathrand.Uint32())
	frame = append(frame, mask...)
	for i, b := range payload {
		frame = append(frame, b^mask[i%4])
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails when writing will
	_, err := s.conn.Write(frame)
	return err
}

// cut ends the connection at once; read returns.
func (s *socket) cut() { _ = s.conn.Close() }
