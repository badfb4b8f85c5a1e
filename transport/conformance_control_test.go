package transport_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// pingCases: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in response" with
// "identical Application data" (sections 5.5.2 and 5.5.3).
func pingCases() (cases []conformance) {
	const rfc = "5.5.3: a pong has the payload of its ping"
	ping := func(payload string) []byte { return bytesOf(wire{Opcode: wirePing, Payload: []byte(payload)}) }
	pong := func(payload string) string { return fmt.Sprintf("pong %q", payload) }
	pongFrame := func(payload string) []byte { return bytesOf(wire{Opcode: wirePong, Payload: []byte(payload)}) }
	for _, n := range []int{0, 1, 2, 3, 4, 5, 8, 124, 125} {
		payload := strings.Repeat("0123456789", 13)[:n]
		cases = append(cases, answered(fmt.Sprintf("%d bytes", n), rfc, ping(payload), pong(payload)))
	}
	const unsolicited = "5.5.3: a response to an unsolicited pong is not expected"
	text := bytesOf(textFrame(echo("x", 0)))
	return append(cases,
		answered("bytes that are not UTF-8", rfc, ping("\x00\xff\xfe\xed\xa0\x80"), pong("\x00\xff\xfe\xed\xa0\x80")),
		answered("payload that looks like a close frame", rfc, ping("\x88\x02\x03\xe8"), pong("\x88\x02\x03\xe8")),
		conformance{"ten, one after the other", rfc, func() (steps []step) {
			for i := range 10 {
				steps = append(steps, step{send: ping(fmt.Sprint(i)), want: []string{pong(fmt.Sprint(i))}})
			}
			return steps
		}()},
		conformance{"before and after a text", rfc, []step{
			{send: ping("1"), want: []string{pong("1")}}, {send: text, want: []string{`echo "x"`}}, {send: ping("2"), want: []string{pong("2")}},
		}},
		conformance{"between two parts of the same write", rfc, []step{
			{send: append(ping("1"), text[:4]...), want: []string{pong("1")}}, {send: text[4:], want: []string{`echo "x"`}},
		}},
		conformance{"in two parts", rfc, []step{{send: ping("parts")[:1]}, {send: ping("parts")[1:], want: []string{pong("parts")}}}},
		conformance{"header and payload apart", rfc, []step{{send: ping("parts")[:6]}, {send: ping("parts")[6:], want: []string{pong("parts")}}}},
		conformance{"in two parts, behind a text", rfc, []step{
			{send: append(bytes.Clone(text), ping("parts")[:7]...), want: []string{`echo "x"`}}, {send: ping("parts")[7:], want: []string{pong("parts")}},
		}},
		answered("and a close frame", "5.5.2: unless it already received a close frame", append(ping("x"), bytesOf(closeFrame(1000, ""))...), pong("x"), `close 1000 ""`),
		answered("unsolicited pong", unsolicited, pongFrame("")),
		answered("unsolicited pong with a payload", unsolicited, pongFrame("hello")),
		answered("unsolicited pong of 125 bytes", unsolicited, pongFrame(strings.Repeat("\xff", 125))),
		answered("three unsolicited pongs and a text", unsolicited, slices.Concat(pongFrame("1"), pongFrame("2"), pongFrame(""), text), `echo "x"`),
		conformance{"unsolicited pong, then a ping with the same payload", unsolicited, []step{{send: pongFrame("x")}, {send: ping("x"), want: []string{pong("x")}}}},
	)
}

// TestPingsAtOnce sends pings in one write. An endpoint that receives a ping before it has answered
// the previous one may answer only the last one (RFC 6455 section 5.5.3).
func TestPingsAtOnce(t *testing.T) {
	plain, secure := conformanceServers(t)
	for _, s := range []*server{plain, secure} {
		c, _, err := transporttest.Dial(s.URL, optionsFor(s, "ann"))
		if err != nil {
			t.Fatal(err)
		}
		var pings []byte
		var sent []string
		for i := range 15 {
			sent = append(sent, fmt.Sprint("ping ", i))
			pings = wire{Opcode: wirePing, Payload: []byte(sent[i])}.Append(pings)
		}
		if _, err := c.Write(pings); err != nil {
			t.Fatal(err)
		}
		var got []string
		for !slices.Contains(got, sent[len(sent)-1]) {
			f, err := c.ReadFrame()
			if err != nil {
				t.Fatalf("pongs %q, then %v", got, err)
			}
			if f.Opcode == wirePong {
				got = append(got, string(f.Payload))
			}
		}
		rest := sent
		for _, p := range got {
			i := slices.Index(rest, p)
			if i < 0 {
				t.Fatalf("pongs %q to pings %q: not in their order", got, sent)
			}
			rest = rest[i+1:]
		}
		if e, err := closeBy(c); err != nil || e.Code != 1000 || len(c.Pongs()) > 0 {
			t.Errorf("ended with %+v, %v, %d pongs too many", e, err, len(c.Pongs()))
		}
	}
}

// closeBy closes a connection from the client's side.
func closeBy(c *transporttest.Conn) (transporttest.Ending, error) {
	_ = c.SendClose(1000, "") // reading to the end shows an error
	return c.End()
}
