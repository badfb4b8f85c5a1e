package tap_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/cluster/internal/tap"
)

// upgraded answers each request with a connection.
type upgraded struct {
	io.Reader
	io.Writer
	request *http.Request
}

func (u *upgraded) Close() error { return nil }

func (u *upgraded) RoundTrip(req *http.Request) (*http.Response, error) {
	u.request = req
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Header: http.Header{"X-Node": {"n7"}}, Body: u}, nil
}

// frames are the examples of RFC 6455, section 5.7, without those that the client sends.
var frames = strings.Join([]string{
	"\x81\x05Hello",
	"\x01\x03Hel", "\x89\x05Hello", "\x80\x02lo", // a ping comes between two fragments
	"\x81\x7e\x01\x00" + strings.Repeat("a", 256),
	"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00" + strings.Repeat("b", 65536),
	"\x81\x00",
}, "")

const masked = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"

// A tap sees the messages of both directions, whatever their length, and the end. It changes
// nothing, but does not let the client ask for compression.
func TestTap(t *testing.T) {
	var node string
	var sent, received []string
	closed := 0
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"at once":      func(r io.Reader) io.Reader { return r },
		"byte by byte": iotest.OneByteReader,
	} {
		t.Run(name, func(t *testing.T) {
			sent, received, closed = nil, nil, 0
			var written bytes.Buffer
			base := &upgraded{Reader: reader(strings.NewReader(frames)), Writer: &written}
			tapped := &tap.Tap{Base: base, Opened: func(resp *http.Response) tap.Listener {
				node = resp.Header.Get("X-Node")
				return tap.Listener{
					Sent:     func(text []byte) { sent = append(sent, string(text)) },
					Received: func(text []byte) { received = append(received, string(text)) },
					Closed:   func() { closed++ },
				}
			}}
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://node.example/ws", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate")
			resp, err := tapped.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			passed, err := io.ReadAll(resp.Body)
			if err != nil || string(passed) != frames {
				t.Errorf("%d bytes were passed (%v), want %d", len(passed), err, len(frames))
			}
			if _, err := resp.Body.(io.Writer).Write([]byte(masked)); err != nil || written.String() != masked {
				t.Errorf("%q was written (%v)", &written, err)
			}
			if err := resp.Body.Close(); err != nil || closed != 1 {
				t.Errorf("closed %d times (%v), want once", closed, err)
			}
			if got := base.request.Header.Get("Sec-WebSocket-Extensions"); node != "n7" || got != "" {
				t.Errorf("node %q, extensions %q", node, got)
			}
			want := []string{"Hello", "Hello", strings.Repeat("a", 256), strings.Repeat("b", 65536), ""}
			if diff := cmp.Diff(want, received); diff != "" {
				t.Errorf("received (-want +got):\n%.500s", diff)
			}
			if diff := cmp.Diff([]string{"Hello"}, sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

// answer is the body of an answer without a connection.
type answer struct {
	io.Reader
	closed bool
}

func (a *answer) Close() error { a.closed = true; return nil }

func (a *answer) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: a}, nil
}

// A connection that cannot be tapped is an error.
func TestNoConnection(t *testing.T) {
	base := &answer{Reader: strings.NewReader("")}
	tapped := &tap.Tap{Base: base, Opened: func(*http.Response) tap.Listener { t.Error("opened"); return tap.Listener{} }}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://node.example/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tapped.RoundTrip(req)
	if err == nil {
		resp.Body.Close()
	}
	if err == nil || !base.closed {
		t.Errorf("error %v, closed %t", err, base.closed)
	}
}

// slow is a connection whose Read returns messages when it is closed: a moment later, or after the
// listener has got the end.
type slow struct {
	reading, closed, ended chan struct{}
}

func (s *slow) Read(b []byte) (int, error) {
	close(s.reading)
	<-s.closed
	select {
	case <-s.ended:
	case <-time.After(20 * time.Millisecond):
	}
	return copy(b, frames), io.EOF
}

func (s *slow) Write(b []byte) (int, error) { return len(b), nil }

func (s *slow) Close() error { close(s.closed); return nil }

func (s *slow) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: s}, nil
}

// No message comes after the end, even if the connection is closed during a Read.
func TestClosedDuringRead(t *testing.T) {
	ended, late := make(chan struct{}), false
	base := &slow{make(chan struct{}), make(chan struct{}), ended}
	tapped := &tap.Tap{Base: base, Opened: func(*http.Response) tap.Listener {
		return tap.Listener{
			Received: func([]byte) {
				select {
				case <-ended:
					late = true
				default:
				}
			},
			Closed: func() { close(ended) },
		}
	}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", "http://node.example/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tapped.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() { _, _ = io.Copy(io.Discard, resp.Body) })
	<-base.reading
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("Close has returned, but Closed was not called")
	}
	all.Wait()
	if late {
		t.Error("a message came after the end")
	}
}
