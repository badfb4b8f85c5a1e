package transport_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/transport"
)

// TestSlowFrames sends parts of frames with pauses between them. A message, or a control frame
// outside a message, may take messageWait from its first byte to its last.
func TestSlowFrames(t *testing.T) {
	const short, long = transport.MessageWait - time.Second, transport.MessageWait + time.Second
	var (
		text    = clientFrame(fin|opText, []byte("text"))
		other   = clientFrame(fin|opText, []byte("other"))
		ping    = clientFrame(fin|opPing, []byte("ping"))
		closing = clientFrame(fin|opClose, closePayload(1001, ""))
		first   = clientFrame(opText, []byte("fi"))
		last    = clientFrame(fin|opContinuation, []byte("rst"))
		large   = clientFrame(fin|opText, []byte(strings.Repeat("l", 1000)))
	)
	type step struct {
		bytes []byte
		pause time.Duration // after the bytes
	}
	join := func(bs ...[]byte) []byte { return slices.Concat(bs...) }
	const (
		pong = "WriteControl 8a0470696e67"
		slow = "Close 4408"
	)
	cases := []struct {
		name  string
		steps []step
		want  []string // calls, without ControlFrame
	}{
		{"a ping in 6 s", []step{{ping[:7], 6 * time.Second}, {ping[7:], 0}}, []string{pong}},
		{"a ping just in time", []step{{ping[:1], short}, {ping[1:], 0}}, []string{pong}},
		{"a ping, byte by byte", []step{{ping[:1], 20 * time.Second}, {ping[1:2], 20 * time.Second}, {ping[2:9], 19 * time.Second}, {ping[9:], 0}}, []string{pong}},
		{"a ping too late", []step{{ping[:7], long}}, []string{slow}},
		{"a ping too late, byte by byte", []step{{ping[:1], 25 * time.Second}, {ping[1:2], 25 * time.Second}, {ping[2:3], 25 * time.Second}}, []string{slow}},
		{"a close frame just in time", []step{{closing[:5], short}, {closing[5:], 0}}, []string{"CloseFrame 1001 880203e9"}},
		{"a close frame too late", []step{{closing[:5], long}}, []string{slow}},
		{"a text just in time", []step{{text[:1], short}, {text[1:], 0}}, []string{"Receive text"}},
		{"a text too late, in its header", []step{{text[:3], long}}, []string{slow}},
		{"a text too late, in its payload", []step{{text[:8], 50 * time.Second}, {text[8:9], 50 * time.Second}}, []string{slow}},
		{"a large text too late", []step{{large[:500], 50 * time.Second}, {large[500:999], 50 * time.Second}}, []string{slow}},
		{"fragments just in time", []step{{first, short}, {last, 0}}, []string{"Receive first"}},
		{"fragments too late", []step{{first, 50 * time.Second}, {last[:3], 11 * time.Second}}, []string{slow}},
		{"a ping between fragments", []step{{first, 20 * time.Second}, {ping[:8], 20 * time.Second}, {ping[8:], 19 * time.Second}, {last, 0}}, []string{pong, "Receive first"}},
		{"a ping between fragments does not extend the time", []step{{first, 50 * time.Second}, {ping, 11 * time.Second}}, []string{pong, slow}},
		{"nothing for long", []step{{text, time.Hour}, {ping, time.Hour}, {ping, 0}}, []string{"Receive text", pong, pong}},
		{"nothing for long after a slow text", []step{{text[:8], short}, {text[8:], time.Hour}, {ping, 0}}, []string{"Receive text", pong}},
		{"nothing for long after a slow ping", []step{{ping[:8], short}, {ping[8:], time.Hour}, {ping, 0}}, []string{pong, pong}},
		{"each message has its own time", []step{{text[:8], short}, {join(text[8:], other[:8]), short}, {join(other[8:], ping[:8]), short}, {ping[8:], 0}},
			[]string{"Receive text", "Receive other", pong}},
		{"each fragmented message has its own time", []step{{first, short}, {join(last, first), short}, {join(last, text), 0}},
			[]string{"Receive first", "Receive first", "Receive text"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, session := servePiped(t, nil)
				for _, s := range c.steps {
					if _, err := client.Write(s.bytes); err != nil {
						t.Fatalf("Write(%x): %v", s.bytes, err)
					}
					time.Sleep(s.pause)
					synctest.Wait()
				}
				_ = client.Close()
				end := "End 1006"
				switch c.want[len(c.want)-1] {
				case slow:
					end = "End 4408"
				case "CloseFrame 1001 880203e9":
					end = "End 1001"
				}
				got := slices.DeleteFunc(<-session.ended, func(call string) bool { return call == "ControlFrame" })
				if want := append(c.want, end); !slices.Equal(got, want) {
					t.Errorf("calls of the session: %q, want %q", got, want)
				}
			})
		})
	}
}
