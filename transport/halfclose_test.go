package transport_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// halfClosed is the connection of a client that has sent some bytes and then ended its sending
// direction.
type halfClosed struct {
	net.Conn
	sent io.Reader

	mu      sync.Mutex // guards the following
	written bytes.Buffer
	closed  bool
}

func (h *halfClosed) Read(b []byte) (int, error)         { return h.sent.Read(b) }
func (h *halfClosed) SetDeadline(t time.Time) error      { return nil }
func (h *halfClosed) SetReadDeadline(t time.Time) error  { return nil }
func (h *halfClosed) SetWriteDeadline(t time.Time) error { return nil }

func (h *halfClosed) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, net.ErrClosed
	}
	return h.written.Write(b)
}

func (h *halfClosed) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	return nil
}

// slowWriter is a recorder that writes the close frame when it may, as a session does whose
// socket is busy.
type slowWriter struct {
	recorder
	may chan struct{}
}

func (s *slowWriter) Close(code protocol.CloseCode) {
	s.note("Close %d", code)
	go func() {
		<-s.may
		s.writeLast(s.sink.Framing().AppendClose(nil, code, code.Reason()))
	}()
}

// A client that ends its side right behind a message for which it is closed still gets the close
// frame, even if that could not be written at once.
func TestCloseFrameAfterHalfClose(t *testing.T) {
	for name, refused := range map[string][]byte{
		"binary":     clientFrame(fin|opBinary, []byte("x")),
		"not UTF-8":  clientFrame(fin|opText, []byte("\xff")),
		"too large":  clientFrame(fin|opText, make([]byte, protocol.MaxMessageBytes+1)),
		"incomplete": clientFrame(fin|opBinary, []byte("x"))[:7],
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nc := &halfClosed{sent: bytes.NewReader(refused)}
				session := &slowWriter{recorder: recorder{ended: make(chan []string, 1)}, may: make(chan struct{})}
				request := httptest.NewRequest(http.MethodGet, "/ws", nil)
				request.Header.Set("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
				go transport.Serve(piped{httptest.NewRecorder(), nc, nil}, request, testLogger(t), func(sink room.Sink) transport.Session {
					session.sink = sink
					return session
				})
				synctest.Wait() // the reader has seen the end of the stream
				close(session.may)
				<-session.ended
				nc.mu.Lock()
				defer nc.mu.Unlock()
				_, frames, _ := bytes.Cut(nc.written.Bytes(), []byte("\r\n\r\n"))
				if len(frames) == 0 || frames[0] != fin|opClose {
					t.Errorf("the client got %q, want a close frame", frames)
				}
			})
		})
	}
}
