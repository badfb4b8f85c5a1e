package main

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// speak dials a server that accepts the handshake and then sends the given messages. answer gets
// what the client sends after it.
func speak(t *testing.T, frames string) (s *socket, answer func() string) {
	t.Helper()
	said := make(chan string, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
			base64.StdEncoding.EncodeToString(sum[:]) + "\r\n\r\n" + frames)
		_ = rw.Flush()
		_ = conn.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(rw)
		said <- string(b)
	}))
	t.Cleanup(srv.Close)
	s, err := dialSocket(t.Context(), urlOf(t, srv.URL), http.Header{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.cut)
	return s, func() string { s.cut(); return <-said }
}

func urlOf(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// unmask returns the opcode and payload of a short frame of a client.
func unmask(t *testing.T, frame string) (opcode byte, payload string) {
	t.Helper()
	if len(frame) < 6 || frame[1]&0x80 == 0 || len(frame) != 6+int(frame[1]&0x7f) {
		t.Fatalf("%q is not a short frame of a client", frame)
	}
	b := []byte(frame[6:])
	for i := range b {
		b[i] ^= frame[2+i%4]
	}
	return frame[0], string(b)
}

func TestSocketRead(t *testing.T) {
	long := strings.Repeat("x", 300)
	longer := strings.Repeat("y", 70_000)
	s, answer := speak(t, "\x81\x02hi"+ // a message
		"\x01\x02fr\x89\x01p\x80\x04agme"+ // one in fragments, with a ping between them
		"\x8a\x00"+ // an unsolicited pong
		"\x81\x7e\x01\x2c"+long+
		"\x81\x7f\x00\x00\x00\x00\x00\x01\x11\x70"+longer+
		"\x88\x05\x11\x94bye") // 4500
	var got []string
	for {
		b, err := s.read()
		if err != nil {
			closed := (*closedError)(nil)
			if !errors.As(err, &closed) || closed.code != protocol.CloseInternal {
				t.Errorf("read = %v, want closed with %d", err, protocol.CloseInternal)
			}
			break
		}
		got = append(got, string(b))
	}
	if diff := cmp.Diff([]string{"hi", "fragme", long, longer}, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	said := answer()
	if len(said) != 7+8 {
		t.Fatalf("the client said %q, want a pong and a close frame", said)
	}
	if opcode, payload := unmask(t, said[:7]); opcode != 0x80|opPong || payload != "p" {
		t.Errorf("frame %#x %q, want the pong", opcode, payload)
	}
	if opcode, payload := unmask(t, said[7:]); opcode != 0x80|opClose || payload != "\x11\x94" {
		t.Errorf("frame %#x %q, want the close frame", opcode, payload)
	}
}

func TestSocketBadFrames(t *testing.T) {
	for name, frames := range map[string]string{
		"masked":           "\x81\x82mmmmhi",
		"compressed":       "\xc1\x02hi",
		"too long":         "\x81\x7f\x00\x00\x01\x00\x00\x00\x00\x00",
		"too long in sum":  "\x01\x7f\x00\x00\x00\x00\x00\x00\x00\x01x\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
		"torn":             "\x81\x05hi",
		"torn in its head": "\x81\x7e\x01",
		"nothing":          "",
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := speak(t, frames)
			if b, err := s.read(); err == nil {
				t.Errorf("read of %q = %q, want an error", frames, b)
			}
		})
	}
}

func TestDialSocketRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"refused", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "too many connections", http.StatusTooManyRequests)
		}, `HTTP status 429 "too many connections"`},
		{"no WebSocket server", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "Upgrade")
			w.Header().Set("Upgrade", "websocket")
			w.WriteHeader(http.StatusSwitchingProtocols)
		}, "not that of a WebSocket server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := httptest.NewServer(test.answer)
			defer srv.Close()
			_, err := dialSocket(t.Context(), urlOf(t, srv.URL), http.Header{}, 0)
			if err == nil || err.Error() != test.want && !strings.Contains(err.Error(), test.want) {
				t.Errorf("dialSocket = %v, want %s", err, test.want)
			}
			if refused := (*refusedError)(nil); errors.As(err, &refused) && refused.RetryAfter.Seconds() != 7 {
				t.Errorf("RetryAfter = %v, want 7 s", refused.RetryAfter)
			}
		})
	}
}

// TestDialSocketEnds has ctx end a handshake that is not answered.
func TestDialSocketEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	}))
	defer srv.Close()
	defer close(release)
	if _, err := dialSocket(ctx, urlOf(t, srv.URL), http.Header{}, 0); err == nil {
		t.Error("dialSocket without an answer: no error")
	}
}

// TestDialSocketTLS speaks to a server whose certificate is not signed.
func TestDialSocketTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	_, err := dialSocket(t.Context(), urlOf(t, strings.Replace(srv.URL, "https", "wss", 1)), http.Header{}, 0)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("dialSocket = %v, want one about the certificate", err)
	}
}
