package clients_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// gobwasConn is a connection that gobwas returns. Bytes that the server sent after its 101 are in a
// separate reader.
type gobwasConn struct {
	io.Reader
	mu sync.Mutex // guards writes: pongs are written while the test sends
	w  io.Writer
}

func (c *gobwasConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w.Write(b)
}

// frame writes a frame in one call of Write.
func (c *gobwasConn) frame(f ws.Frame) error {
	b, err := ws.CompileFrame(ws.MaskFrameInPlace(f))
	if err == nil {
		_, err = c.Write(b)
	}
	return err
}

func dialGobwas(t *testing.T, to target) (*peer, error) {
	header := http.Header{}
	if to.Origin != "" {
		header.Set("Origin", to.Origin)
	}
	d := ws.Dialer{Protocols: to.Protocols, Header: ws.HandshakeHeaderHTTP(header)}
	nc, early, hs, err := d.Dial(t.Context(), to.URL)
	if err != nil {
		return nil, err
	}
	c := &gobwasConn{Reader: nc, w: nc}
	if early != nil { // not nil only if bytes arrived after the 101
		c.Reader = io.MultiReader(bufferedOf(early), nc)
	}
	events := make(chan event)
	go func() {
		defer close(events)
		events <- readGobwas(c, events)
	}()
	return &peer{
		protocol: hs.Protocol,
		events:   events,
		send:     func(text string) error { return c.frame(ws.NewTextFrame([]byte(text))) },
		fragment: func(parts ...string) error {
			for i, part := range parts {
				opcode := ws.OpContinuation
				if i == 0 {
					opcode = ws.OpText
				}
				if err := c.frame(ws.NewFrame(opcode, i == len(parts)-1, []byte(part))); err != nil {
					return err
				}
			}
			return nil
		},
		ping:  func() error { return c.frame(ws.NewPingFrame([]byte("p"))) },
		close: func(code int) error { return c.frame(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), ""))) },
		stop:  func() { _ = nc.Close() },
	}, nil
}

// bufferedOf returns the bytes that a reader has buffered.
func bufferedOf(br *bufio.Reader) io.Reader { return io.LimitReader(br, int64(br.Buffered())) }

// readGobwas reads until the connection ends, and returns the last event.
func readGobwas(c *gobwasConn, events chan<- event) event {
	for {
		messages, err := wsutil.ReadServerMessage(c, nil)
		if err != nil {
			return event{Kind: "closed", Code: 1006, Text: err.Error()}
		}
		for _, m := range messages {
			switch m.OpCode {
			case ws.OpText:
				events <- event{Kind: "text", Text: string(m.Payload)}
			case ws.OpPong:
				events <- event{Kind: "pong"}
			default:
				err := wsutil.HandleServerControlMessage(c, m)
				var ce wsutil.ClosedError
				if errors.As(err, &ce) {
					return event{Kind: "closed", Code: int(ce.Code), Text: ce.Reason}
				}
			}
		}
	}
}
