package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// viewer is a strict WebSocket client in the plan demo.
type viewer struct {
	*transporttest.Client
	t *testing.T
}

// dial connects with the query and the headers, in pairs. It returns the viewer, or nil if the
// server refuses, and the status of the response.
func (s *server) dial(query url.Values, headers ...string) (*viewer, int) {
	s.t.Helper()
	header := http.Header{}
	for h := headers; len(h) > 0; h = h[2:] {
		header.Add(h[0], h[1])
	}
	c, resp, err := transporttest.Dial(s.url+"/ws?"+query.Encode(), &transporttest.Options{Header: header})
	if err != nil {
		s.t.Fatal(err)
	}
	if c == nil {
		return nil, resp.StatusCode
	}
	return &viewer{transporttest.NewClient(s.t, c), s.t}, resp.StatusCode
}

// connect connects as a page does, with the token as a subprotocol, and reads the hello.
func (s *server) connect(token, client string) *viewer {
	s.t.Helper()
	v, status := s.dial(url.Values{"client": {client}}, "Origin", s.url,
		"Sec-WebSocket-Protocol", transporttest.TokenSubprotocols(token))
	if status != http.StatusSwitchingProtocols {
		s.t.Fatalf("handshake: status %d", status)
	}
	v.Want(protocol.TypePong, &v.Hello)
	if v.Hello.ClientID != client || !v.Hello.Connected {
		s.t.Fatalf("hello %+v", v.Hello)
	}
	return v
}

// join connects and joins the plan demo at its end.
func (s *server) join(token, client string) (*viewer, protocol.JoinAnswer) {
	s.t.Helper()
	v := s.connect(token, client)
	return v, v.join(nil)
}

func (v *viewer) join(since *protocol.Position) protocol.JoinAnswer {
	v.t.Helper()
	return v.Join("demo", since)
}

func (v *viewer) sendText(text string) {
	v.t.Helper()
	if err := v.SendText(text); err != nil {
		v.t.Fatal(err)
	}
}

// next returns the next message, which must be of a type in want. It skips presence of others
// unless want contains it.
func (v *viewer) next(want ...protocol.Type) protocol.Message {
	v.t.Helper()
	return v.Await(want...)
}

// event returns the next message, which is of type want and follows the event with seq prev.
func (v *viewer) event(want protocol.Type, prev uint64) protocol.Message {
	v.t.Helper()
	return v.follows(v.next(want), prev)
}

func (v *viewer) follows(m protocol.Message, prev uint64) protocol.Message {
	v.t.Helper()
	if m.Prev != prev || m.Seq <= prev || m.PlanID != "demo" {
		v.t.Fatalf("%s: plan %q, seq %d after %d, want it after %d", m.Type, m.PlanID, m.Seq, m.Prev, prev)
	}
	return m
}

func taskOf(t *testing.T, m protocol.Message) task {
	t.Helper()
	return transporttest.DataOf[struct{ Task task }](t, m).Task
}

func progressOf(t *testing.T, m protocol.Message) progress {
	t.Helper()
	return transporttest.DataOf[struct{ Progress progress }](t, m).Progress
}

// withoutTime cuts the timestamp out of a message.
func withoutTime(t *testing.T, text string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, `"timestamp":"`)
	_, after, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("message without a timestamp: %s", text)
	}
	return before + after
}
