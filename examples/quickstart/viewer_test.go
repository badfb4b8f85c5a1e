package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// viewer is a minimal WebSocket client, with the part of RFC 6455 that the tests need. It shares no
// code with the server, and so no errors.
type viewer struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// upgradeHeaders are those of every handshake, in pairs.
func upgradeHeaders() []string {
	return []string{
		"Connection", "Upgrade", "Upgrade", "websocket",
		"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==",
	}
}

// dial connects with the query and the headers, and returns the viewer and the status of the
// answer.
func (s *server) dial(query url.Values, headers ...string) (*viewer, int) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+"/ws?"+query.Encode(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for h := append(upgradeHeaders(), headers...); len(h) > 0; h = h[2:] {
		req.Header.Add(h[0], h[1])
	}
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	// A test fails after this time, and does not hang.
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		s.t.Fatal(err)
	}
	if err := req.Write(conn); err != nil {
		s.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		s.t.Fatal(err)
	}
	return &viewer{t: s.t, conn: conn, r: r}, resp.StatusCode
}

// connect connects as a page does, with the token as a subprotocol, and reads the hello.
func (s *server) connect(token, client string) *viewer {
	s.t.Helper()
	v, status := s.dial(url.Values{"client": {client}}, "Origin", s.url,
		"Sec-WebSocket-Protocol", protocol.Subprotocol+", "+protocol.TokenSubprotocolPrefix+base64.RawURLEncoding.EncodeToString([]byte(token)))
	if status != http.StatusSwitchingProtocols {
		s.t.Fatalf("handshake: status %d", status)
	}
	hello := dataOf[protocol.Hello](s.t, v.next(protocol.TypePong))
	if hello.ClientID != client || !hello.Connected {
		s.t.Fatalf("hello %+v", hello)
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
	v.send(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo", Since: since})
	return dataOf[protocol.JoinAnswer](v.t, v.next(protocol.TypeJoinPlan))
}

func (v *viewer) send(req protocol.Request) {
	v.t.Helper()
	b, err := protocol.EncodeRequest(req)
	if err != nil {
		v.t.Fatal(err)
	}
	v.sendText(string(b))
}

func (v *viewer) sendText(text string) { v.write(1, text) }

func (v *viewer) write(opcode byte, payload string) {
	v.t.Helper()
	head := []byte{0x80 | opcode, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x80 | opcode, 0x80 | 126}, uint16(len(payload)))
	}
	head = append(head, 0, 0, 0, 0) // a mask of zeros is valid
	if _, err := v.conn.Write(append(head, payload...)); err != nil {
		v.t.Fatal(err)
	}
}

// frame returns the next frame other than a ping.
func (v *viewer) frame() (opcode byte, payload []byte) {
	v.t.Helper()
	for {
		head := make([]byte, 2, 10)
		_, err := io.ReadFull(v.r, head)
		n := uint64(head[1])
		if extra := map[uint64]int{126: 2, 127: 8}[n]; err == nil && extra > 0 {
			wide := make([]byte, 8)
			_, err = io.ReadFull(v.r, wide[8-extra:])
			n = binary.BigEndian.Uint64(wide)
		}
		if err != nil || n > 1<<20 || head[0]&0x80 == 0 {
			v.t.Fatalf("read frame: %v, head %x, %d bytes", err, head, n)
		}
		payload = make([]byte, n)
		if _, err := io.ReadFull(v.r, payload); err != nil {
			v.t.Fatal(err)
		}
		if opcode = head[0] & 0x0f; opcode != 9 {
			return opcode, payload
		}
		v.write(10, string(payload))
	}
}

// nextText returns the next message as it is on the wire.
func (v *viewer) nextText() string {
	v.t.Helper()
	opcode, payload := v.frame()
	if opcode != 1 {
		v.t.Fatalf("frame of opcode %d %q, want a message", opcode, payload)
	}
	return string(payload)
}

// next returns the next message, which must be of a type in want. It skips presence of others
// unless want contains it.
func (v *viewer) next(want ...protocol.Type) protocol.Message {
	v.t.Helper()
	for {
		text := v.nextText()
		m, err := protocol.Decode([]byte(text))
		if err != nil {
			v.t.Fatalf("%v: %s", err, text)
		}
		if slices.Contains(want, m.Type) {
			return m
		}
		if m.Type != protocol.TypeJoinPlan && m.Type != protocol.TypeLeavePlan {
			v.t.Fatalf("message %s, want %s", text, want)
		}
	}
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

// closed returns the goodbye and the code of the close frame that follow now.
func (v *viewer) closed() (protocol.Goodbye, protocol.CloseCode) {
	v.t.Helper()
	goodbye := dataOf[protocol.Goodbye](v.t, v.next(protocol.TypeGoodbye))
	opcode, payload := v.frame()
	if opcode != 8 || len(payload) < 2 {
		v.t.Fatalf("frame of opcode %d %q, want a close frame", opcode, payload)
	}
	v.write(8, string(payload[:2]))
	return goodbye, protocol.CloseCode(binary.BigEndian.Uint16(payload))
}

func dataOf[T any](t *testing.T, m protocol.Message) T {
	t.Helper()
	var data T
	if err := json.Unmarshal(m.Data, &data); err != nil {
		t.Fatalf("data of %s: %v", m.Type, err)
	}
	return data
}

func taskOf(t *testing.T, m protocol.Message) task {
	t.Helper()
	return dataOf[struct{ Task task }](t, m).Task
}

func progressOf(t *testing.T, m protocol.Message) progress {
	t.Helper()
	return dataOf[struct{ Progress progress }](t, m).Progress
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
