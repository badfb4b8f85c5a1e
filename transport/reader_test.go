package transport_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// recorder is a session that records the reader's calls, and closes the connection like the hub.
type recorder struct {
	sink   room.Sink
	calls  []string // used only by the reader's goroutine
	ended  chan []string
	seen   int
	closed bool
	panics bool   // panic on the next message
	answer func() // if set, WriteControl and CloseFrame call it
}

func (r *recorder) note(format string, args ...any) {
	r.calls = append(r.calls, fmt.Sprintf(format, args...))
}

func (r *recorder) writeLast(b []byte) {
	if r.closed {
		return
	}
	r.closed = true
	_, _ = r.sink.Write(b, time.Now().Add(testTimeout)) // the client checks the result
	r.sink.Finish()
}

func (r *recorder) Seen() { r.seen++ }

func (r *recorder) Receive(m []byte) {
	r.note("Receive %s", m)
	if r.panics {
		panic("oops")
	}
}

func (r *recorder) ControlFrame() { r.note("ControlFrame") }

func (r *recorder) WriteControl(frame []byte) {
	if r.answer != nil {
		r.answer()
	}
	r.note("WriteControl %x", frame)
	_, _ = r.sink.Write(bytes.Clone(frame), time.Now().Add(testTimeout))
}

func (r *recorder) CloseFrame(code protocol.CloseCode, frame []byte) {
	if r.answer != nil {
		r.answer()
	}
	r.note("CloseFrame %d %x", code, frame[:min(len(frame), 4)])
	r.writeLast(frame)
}

func (r *recorder) Close(code protocol.CloseCode) {
	r.note("Close %d", code)
	r.writeLast(r.sink.Framing().AppendClose(nil, code, ""))
}

func (r *recorder) End(code protocol.CloseCode) {
	r.note("End %d", code)
	r.ended <- r.calls
}

// TestReader checks which methods of the session the reader calls.
func TestReader(t *testing.T) {
	tooBig := strings.Repeat("x", protocol.MaxMessageBytes+1)
	cases := []struct {
		name   string
		send   func(c *client)
		panics bool
		want   []string
	}{
		{"messages", func(c *client) {
			c.text("one")
			c.text("")
			c.write(append(clientFrame(opText, []byte("th")), clientFrame(fin|opContinuation, []byte("ree"))...))
			c.send(opClose, closePayload(1001, "bye"))
		}, false, []string{"Receive one", "Receive ", "Receive three", "CloseFrame 1001 880203e9", "End 1001"}},
		{"pings", func(c *client) {
			c.send(opPing, []byte("a"))
			c.pong()
			c.send(opPong, []byte("b"))
			c.send(opClose, nil)
		}, false, []string{"ControlFrame", "WriteControl 8a0161", "ControlFrame", "CloseFrame 1005 8800", "End 1005"}},
		{"refused message, and more", func(c *client) {
			c.text(tooBig)
			c.text("late")
			c.send(opBinary, []byte("late"))
			c.send(opClose, closePayload(1009, ""))
		}, false, []string{"Close 1009", "CloseFrame 1009 880203f1", "End 1009"}},
		{"unmasked", func(c *client) { c.write([]byte{fin | opText, 1, 'x'}) }, false,
			[]string{"CloseFrame 1002 881003ea", "End 1002"}},
		{"reserved bit", func(c *client) { c.write(clientFrame(fin|0x20|opText, nil)) }, false,
			[]string{"CloseFrame 1002 881003ea", "End 1002"}},
		{"gone", func(c *client) { c.write(clientFrame(opText, []byte("x"))); _ = c.nc.Close() }, false, []string{"End 1006"}},
		{"panic", func(c *client) { c.text("x"); c.text("late") }, true, []string{"Receive x", "Close 4500", "End 1006"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ended := make(chan []string, 2)
			log := testLogger(t)
			if c.panics {
				log = slog.New(slog.DiscardHandler)
			}
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				transport.Serve(w, r, log, func(sink room.Sink) transport.Session {
					return &recorder{sink: sink, ended: ended, panics: c.panics}
				})
			}))
			defer s.Close()
			conn, _ := open(t, s, handshake{})
			c.send(conn)
			if c.name != "gone" {
				conn.end()
			}
			if diff := cmp.Diff(c.want, receive(t, ended)); diff != "" {
				t.Errorf("calls of the session (-want +got):\n%s", diff)
			}
			select {
			case calls := <-ended:
				t.Errorf("End came twice: %q", calls)
			default:
			}
		})
	}
}

// FuzzConnection sends arbitrary bytes after the handshake. The server must send only complete
// frames, at most one close frame and nothing after it, and must end the session.
func FuzzConnection(f *testing.F) {
	f.Add([]byte{})
	f.Add(clientFrame(fin|opText, []byte("hello")))
	f.Add(append(clientFrame(opText, []byte("a")), clientFrame(fin|opPing, []byte("b"))...))
	f.Add(clientFrame(fin|opClose, closePayload(1000, "bye")))
	f.Add(clientFrame(fin|opClose, []byte{1}))
	f.Add(binary.BigEndian.AppendUint64([]byte{fin | opText, 0xFF}, 1<<63))
	f.Fuzz(func(t *testing.T, b []byte) {
		ended := make(chan []string, 1)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			transport.Serve(w, r, testLogger(t), func(sink room.Sink) transport.Session {
				return &recorder{sink: sink, ended: ended}
			})
		}))
		defer s.Close()
		c, _ := open(t, s, handshake{after: b})
		c.closeWrite()
		for {
			if _, err := c.frame(); err != nil {
				if !isCut(err) {
					t.Error(err)
				}
				break
			}
		}
		_ = c.nc.Close()
		receive(t, ended)
	})
}
