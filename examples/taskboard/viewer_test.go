package main

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// viewer is a small WebSocket client for tests, which acts like a browser.
type viewer struct {
	t      *testing.T
	conn   net.Conn
	r      *bufio.Reader
	planID string
}

// connect connects as a page does, with the token as a subprotocol, and takes the hello.
func (b *board) connect(p *person, client string) *viewer {
	b.t.Helper()
	v, status := b.dial(p.Token, client, b.url)
	if status != http.StatusSwitchingProtocols {
		b.t.Fatalf("handshake: status %d", status)
	}
	if hello := dataOf[protocol.Hello](b.t, v.next(protocol.TypePong)); hello.ClientID != client || hello.UserID != p.User.ID {
		b.t.Fatalf("hello %+v", hello)
	}
	return v
}

// dial returns the status of the answer to the handshake.
func (b *board) dial(token, client, origin string) (*viewer, int) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), "GET", b.url+"/ws?client="+client, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Origin": origin,
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
		"Sec-WebSocket-Protocol": protocol.Subprotocol + ", " +
			protocol.TokenSubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token)),
	} {
		req.Header.Set(name, value)
	}
	conn, err := net.Dial("tcp", req.URL.Host)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.Close() })
	// A test must not hang.
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		b.t.Fatal(err)
	}
	if err := req.Write(conn); err != nil {
		b.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		b.t.Fatal(err)
	}
	return &viewer{t: b.t, conn: conn, r: r}, resp.StatusCode
}

// join connects and joins the plan where its GET has left off.
func (b *board) join(p *person, client string, plan planView) *viewer {
	b.t.Helper()
	v := b.connect(p, client)
	v.join(plan)
	return v
}

func (v *viewer) join(plan planView) {
	v.t.Helper()
	v.planID = plan.ID
	v.send(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: plan.ID, Since: &plan.Position})
	if answer := dataOf[protocol.JoinAnswer](v.t, v.next(protocol.TypeJoinPlan)); !answer.Recovered {
		v.t.Fatalf("join since %v: %+v", plan.Position, answer)
	}
}

func (v *viewer) send(req protocol.Request) {
	v.t.Helper()
	b, err := protocol.EncodeRequest(req)
	if err != nil {
		v.t.Fatal(err)
	}
	v.write(1, b)
}

func (v *viewer) write(opcode byte, payload []byte) {
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

// frame returns the next frame that is not a ping.
func (v *viewer) frame() (opcode byte, payload []byte) {
	v.t.Helper()
	for {
		head := make([]byte, 2)
		_, err := io.ReadFull(v.r, head)
		n := uint64(head[1])
		if extra := map[uint64]int{126: 2, 127: 8}[n]; err == nil && extra > 0 {
			wide := make([]byte, 8)
			_, err = io.ReadFull(v.r, wide[8-extra:])
			n = binary.BigEndian.Uint64(wide)
		}
		if err != nil || n > 1<<20 {
			v.t.Fatalf("read frame: %v, head %x, %d bytes", err, head, n)
		}
		payload = make([]byte, n)
		if _, err := io.ReadFull(v.r, payload); err != nil {
			v.t.Fatal(err)
		}
		if opcode = head[0] & 0x0f; opcode != 9 {
			return opcode, payload
		}
		v.write(10, payload)
	}
}

// next returns the next message, which must have a type in want. It skips presence messages
// unless they are wanted.
func (v *viewer) next(want ...protocol.Type) protocol.Message {
	v.t.Helper()
	for {
		opcode, payload := v.frame()
		m, err := protocol.Decode(payload)
		if opcode != 1 || err != nil {
			v.t.Fatalf("frame of opcode %d, %q (%v), want %s", opcode, payload, err, want)
		}
		if slices.Contains(want, m.Type) {
			return m
		}
		if m.Type != protocol.TypeJoinPlan && m.Type != protocol.TypeLeavePlan {
			v.t.Fatalf("message %s, want %s", payload, want)
		}
	}
}

// eventAndNotice takes an event of the plan and a notice, which may come in either order, and
// returns the event.
func (v *viewer) eventAndNotice(want protocol.Type, prev uint64, notice protocol.Type) protocol.Message {
	v.t.Helper()
	first, second := v.next(want, notice), v.next(want, notice)
	if first.Type != want {
		first, second = second, first
	}
	if first.Type != want || second.Type != notice || first.Prev != prev || first.PlanID != v.planID {
		v.t.Fatalf("messages %s (after %d) and %s, want %s (after %d) and %s", first.Type, first.Prev, second.Type, want, prev, notice)
	}
	return first
}

// event returns the next message, which is of type want and follows the event with seq prev.
func (v *viewer) event(want protocol.Type, prev uint64) protocol.Message {
	v.t.Helper()
	m := v.next(want)
	if m.Prev != prev || m.Seq <= prev || m.PlanID != v.planID {
		v.t.Fatalf("%s: plan %q, seq %d after %d, want it after %d", m.Type, m.PlanID, m.Seq, m.Prev, prev)
	}
	return m
}

// silent checks that nothing has come but presence: the answer to a ping is next.
func (v *viewer) silent() {
	v.t.Helper()
	v.send(protocol.Request{Type: protocol.TypePing})
	v.next(protocol.TypePong)
}

// closed returns the goodbye and the code of the close frame that follow now.
func (v *viewer) closed() (protocol.Goodbye, protocol.CloseCode) {
	v.t.Helper()
	goodbye := dataOf[protocol.Goodbye](v.t, v.next(protocol.TypeGoodbye))
	opcode, payload := v.frame()
	if opcode != 8 || len(payload) < 2 {
		v.t.Fatalf("frame of opcode %d %q, want a close frame", opcode, payload)
	}
	v.write(8, payload[:2])
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
