package transport_test

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// conformance is a case: what a client sends after the greeting, and what RFC 6455 requires the
// server to do.
type conformance struct {
	name  string
	rfc   string // section and requirement
	steps []step
}

// step is one write of a client, and what the server does next, as described by conversation.next.
type step struct {
	send []byte
	half bool // the client ends its sending direction after the bytes
	want []string
}

// conformanceTables are the cases by subject. conformingHandshakes has the cases of the handshake.
var conformanceTables = []struct {
	subject string
	cases   func() []conformance
}{
	{"opcodes", opcodeCases},
	{"reserved bits", reservedBitCases},
	{"masking", maskingCases},
	{"lengths", lengthCases},
	{"message limit", limitCases},
	{"fragmentation", fragmentationCases},
	{"UTF-8", utf8Cases},
	{"binary", binaryCases},
	{"pings", pingCases},
	{"close codes", closeCodeCases},
	{"closing", closingCases},
	{"end of the stream", endCases},
}

// delivery is the way in which the bytes of a case are sent to the server.
type delivery struct {
	name  string
	tls   bool
	early bool // send the first step in one write with the handshake
	split func(seed uint64) func([]byte) [][]byte
	most  int // bytes of a case; 0: any number
}

func inPieces(seed uint64) func([]byte) [][]byte { return transporttest.Pieces(8, seed) }
func asBytes(uint64) func([]byte) [][]byte       { return transporttest.Bytes }

var deliveries = []delivery{
	{name: "plain"},
	{name: "plain, in pieces", split: inPieces},
	{name: "plain, byte by byte", split: asBytes, most: 100},
	{name: "plain, behind the handshake", early: true},
	{name: "TLS", tls: true},
	{name: "TLS, in pieces", tls: true, split: inPieces},
	{name: "TLS, behind the handshake", tls: true, early: true},
}

// leastConformanceCases is the minimum number of distinct cases, each of which runs over TCP and
// TLS.
const leastConformanceCases = 300

func TestConformance(t *testing.T) {
	plain, secure := conformanceServers(t)
	names := map[string]bool{}
	for _, table := range conformanceTables {
		for _, c := range table.cases() {
			name := table.subject + "/" + c.name
			if names[name] {
				t.Errorf("two cases are named %q", name)
			}
			names[name] = true
			seed := uint64(len(names))
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, d := range deliveries {
					s := plain
					if d.tls {
						s = secure
					}
					converseWith(t, s, c, d, seed)
				}
			})
		}
	}
	if n := len(names) + len(conformingHandshakes()); n < leastConformanceCases {
		t.Errorf("%d cases, want %d at least", n, leastConformanceCases)
	}
}

// conformanceServers returns a server without TLS and one with TLS. They send no pings.
func conformanceServers(t *testing.T) (plain, secure *server) {
	quiet := room.Options{PingEvery: time.Hour}
	secure = newServer(t, config{hub: quiet, tls: true})
	// Without these options, TLS handshakes would take most of the time.
	clientTLS(secure).ClientSessionCache = tls.NewLRUClientSessionCache(0)
	clientTLS(secure).CurvePreferences = []tls.CurveID{tls.CurveP256}
	return newServer(t, config{hub: quiet}), secure
}

// clientTLS is the TLS configuration of the clients of s.
func clientTLS(s *server) *tls.Config { return s.Client().Transport.(*http.Transport).TLSClientConfig }

// optionsFor returns the options of a client that connects to s as user.
func optionsFor(s *server, user string) *transporttest.Options {
	o := &transporttest.Options{Header: http.Header{"Authorization": {"Bearer " + tokenOf(user)}}}
	if s.TLS != nil {
		o.TLS = clientTLS(s)
	}
	return o
}

// conversation is a running case.
type conversation struct {
	t        *testing.T
	c        *transporttest.Conn
	what     string   // for failures
	received []string // so far
	closed   bool     // the server has sent a close frame
}

// converseWith runs a case.
func converseWith(t *testing.T, s *server, c conformance, d delivery, seed uint64) {
	t.Helper()
	total := 0
	for _, step := range c.steps {
		total += len(step.send)
	}
	if d.most > 0 && total > d.most || d.early && c.steps[0].half {
		return
	}
	o := optionsFor(s, fmt.Sprint("user", seed))
	if d.split != nil {
		o.Split = d.split(seed)
	}
	if d.early {
		o.Early = c.steps[0].send
	}
	conn, resp, err := transporttest.Dial(s.URL+"/ws", o)
	if err != nil || conn == nil {
		t.Fatalf("%s: handshake: %v, %v", d.name, resp, err)
	}
	defer conn.Close()
	v := &conversation{t: t, c: conn, what: fmt.Sprintf("%s (RFC 6455 section %s)", d.name, c.rfc)}
	if d.early {
		v.wantAfterGreeting(c.steps[0].want)
	} else {
		v.want(greeting)
	}
	ours := false // the client has sent a close frame or cannot send one
	for i, step := range c.steps {
		if i == 0 && d.early {
			continue
		}
		// ignore an error: the server may have closed, which the reads below show
		_, _ = conn.Write(step.send)
		if step.half {
			_ = conn.CloseWrite()
			ours = true
		}
		v.want(step.want...)
	}
	switch {
	case v.closed && !ours: // a second close frame is harmless
		_ = conn.SendClose(1000, "")
		v.want("EOF")
	case v.closed:
		v.want("EOF")
	case !ours:
		_ = conn.SendClose(1000, "")
		v.want(`close 1000 ""`, "EOF")
	}
}

// want reads and checks what the server does next.
func (v *conversation) want(want ...string) {
	v.t.Helper()
	for _, w := range want {
		got := v.next()
		v.received = append(v.received, got)
		if got != w {
			v.t.Fatalf("%s: the server did\n\t%s\nwant at the end\n\t%s", v.what, strings.Join(v.received, "\n\t"), w)
		}
	}
}

// greeting is the server's first message.
const greeting = "pong message"

// wantAfterGreeting reads the greeting and what the server does next. A pong may come before the
// greeting: a control frame is not a message.
func (v *conversation) wantAfterGreeting(want []string) {
	v.t.Helper()
	for range len(want) + 1 {
		v.received = append(v.received, v.next())
	}
	i := slices.Index(v.received, greeting)
	others := append(slices.Clone(v.received[:max(i, 0)]), v.received[i+1:]...)
	if i < 0 || i > 0 && !strings.HasPrefix(v.received[i-1], `pong "`) || !slices.Equal(others, want) {
		v.t.Fatalf("%s: the server did\n\t%s\nwant the greeting and\n\t%s", v.what, strings.Join(v.received, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// next describes what the server does next: a message, a pong, a close frame, or the end of the
// stream. "gone" is an end without a close frame. In that case the server sends no goodbye, and
// over TLS no close_notify.
func (v *conversation) next() string {
	f, err := v.c.ReadFrame()
	var op *net.OpError
	switch {
	case err == nil:
	case (err == io.EOF || err == io.ErrUnexpectedEOF) && !v.closed:
		return "gone"
	case err == io.EOF:
		return "EOF"
	case errors.As(err, &op) && !op.Timeout():
		return "reset"
	default:
		return err.Error()
	}
	switch {
	case f.More || f.Opcode == transporttest.OpContinuation || f.Opcode == transporttest.OpBinary:
		return fmt.Sprintf("frame of opcode %#x", f.Opcode)
	case f.Opcode == transporttest.OpText:
		return describeMessage(f.Payload)
	case f.Opcode == transporttest.OpPing:
		return "ping"
	case f.Opcode == transporttest.OpPong:
		return fmt.Sprintf("pong %q", f.Payload)
	case len(f.Payload) == 0:
		v.closed = true
		return "close"
	}
	v.closed = true
	return fmt.Sprintf("close %d %q", binary.BigEndian.Uint16(f.Payload), f.Payload[2:])
}

// describeMessage describes a message of the server. The answer to echo is what the server has
// read.
func describeMessage(b []byte) string {
	m, err := protocol.Decode(b)
	if err != nil {
		return fmt.Sprintf("text %q", b)
	}
	switch m.Type {
	case protocol.TypeError:
		var e protocol.Error
		if err := json.Unmarshal(m.Data, &e); err != nil {
			return fmt.Sprintf("text %q", b)
		}
		if e.Code == protocol.ErrorUnknownType {
			return fmt.Sprintf("echo %q", m.PlanID)
		}
		return "error " + string(e.Code)
	case protocol.TypeGoodbye:
		var g protocol.Goodbye
		if err := json.Unmarshal(m.Data, &g); err != nil {
			return fmt.Sprintf("text %q", b)
		}
		return fmt.Sprintf("goodbye %d", g.Code)
	}
	return string(m.Type) + " message"
}

// The frames of the cases.
type wire = transporttest.Frame

const (
	wireContinuation = transporttest.OpContinuation
	wireText         = transporttest.OpText
	wireBinary       = transporttest.OpBinary
	wireClose        = transporttest.OpClose
	wirePing         = transporttest.OpPing
	wirePong         = transporttest.OpPong
)

// bytesOf returns the bytes of frames.
func bytesOf(frames ...wire) []byte {
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	return b
}

// echo returns a message of an unknown type, which the server answers with an error that repeats
// id. id may have up to 128 bytes. The message is padded to size bytes, if size is larger.
func echo(id string, size int) []byte {
	m := `{"type":"echo","planId":"` + id + `"`
	return []byte(m + strings.Repeat(" ", max(0, size-len(m)-1)) + "}")
}

func textFrame(payload []byte) wire { return wire{Opcode: wireText, Payload: payload} }

func closeFrame(code uint16, reason string) wire {
	return wire{Opcode: wireClose, Payload: transporttest.ClosePayload(code, reason)}
}

// These are the ends of a connection. The server announces every close that RFC 6455 leaves to it.
var (
	protocolError = []string{`close 1002 "protocol error"`}
	notSupported  = []string{"goodbye 1003", `close 1003 "binary messages are not supported"`}
	notUTF8       = []string{"goodbye 1007", `close 1007 "text is not valid UTF-8"`}
	tooBig        = []string{"goodbye 1009", `close 1009 "message too big"`}
)

// answered returns a case with one step. The connection then continues, unless want ends it.
func answered(name, rfc string, send []byte, want ...string) conformance {
	return conformance{name, rfc, []step{{send: send, want: want}}}
}

// failed returns a case that violates RFC 6455 after a valid message and its answer.
func failed(name, rfc string, send []byte) conformance {
	return conformance{name, rfc, []step{
		{send: bytesOf(textFrame(echo("before", 0))), want: []string{`echo "before"`}},
		{send: send, want: protocolError},
	}}
}

// between returns frames with f between the first and the last of them.
func between(frames []wire, f ...wire) []wire {
	return slices.Concat(frames[:1], f, frames[1:])
}
