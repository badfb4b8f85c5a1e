package transporttest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// TestUpgrade uses a server that answers the handshake correctly and with each violation.
func TestUpgrade(t *testing.T) {
	with := func(lines ...string) string {
		return strings.TrimSuffix(upgraded, "\r\n") + strings.Join(lines, "\r\n") + "\r\n\r\n"
	}
	without := func(line string) string { return strings.Replace(upgraded, line+"\r\n", "", 1) }
	const accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
	offer := http.Header{"Sec-WebSocket-Protocol": {"chat, planrooms.v1", "v3"}, "Sec-WebSocket-Extensions": {"permessage-deflate"}}
	cases := []struct {
		name    string
		header  http.Header
		answer  string
		section string // section of the violation; "": none
	}{
		{"as it should be", nil, upgraded, ""},
		{"other case", nil, strings.ReplaceAll(strings.ToLower(without(accept)), "http/1.1", "HTTP/1.1") + "", "4.1"},
		{"tokens in another case", nil, strings.NewReplacer("websocket", "WebSocket", "Connection: Upgrade", "connection: keep-alive, upgrade").Replace(upgraded), ""},
		{"no accept", nil, without(accept), "4.1"},
		{"another accept", nil, strings.Replace(upgraded, "s3p", "S3p", 1), "4.1"},
		{"two accepts", nil, with(accept), "4.1"},
		{"accept of another key", http.Header{"sec-websocket-key": {"AAAAAAAAAAAAAAAAAAAAAA=="}}, upgraded, "4.1"},
		{"no Upgrade", nil, without("Upgrade: websocket"), "4.1"},
		{"another Upgrade", nil, strings.Replace(upgraded, "websocket", "h2c", 1), "4.1"},
		{"no Connection", nil, without("Connection: Upgrade"), "4.1"},
		{"another Connection", nil, strings.Replace(upgraded, "Connection: Upgrade", "Connection: close", 1), "4.1"},
		{"HTTP/1.0", nil, strings.Replace(upgraded, "1.1", "1.0", 1), "4.2.2"},
		{"subprotocol, none offered", nil, with("Sec-WebSocket-Protocol: chat"), "4.1"},
		{"subprotocol not offered", offer, with("Sec-WebSocket-Protocol: planrooms"), "4.1"},
		{"subprotocol in another case", offer, with("Sec-WebSocket-Protocol: Chat"), "4.1"},
		{"subprotocol", offer, with("Sec-WebSocket-Protocol: planrooms.v1"), ""},
		{"subprotocol of the second line", offer, with("Sec-WebSocket-Protocol: v3"), ""},
		{"two subprotocols", offer, with("Sec-WebSocket-Protocol: chat", "Sec-WebSocket-Protocol: v3"), "4.1"},
		{"two subprotocols in one line", offer, with("Sec-WebSocket-Protocol: chat, v3"), "4.1"},
		{"none of the offered subprotocols", offer, upgraded, ""},
		{"extension", offer, with("Sec-WebSocket-Extensions: permessage-deflate"), "9.1"},
		{"body", nil, with("Content-Length: 3") + "abc", "4.2.2"},
		{"chunked body", nil, with("Transfer-Encoding: chunked") + "0\r\n\r\n", "4.2.2"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			conn, resp, err := transporttest.NewConn(fakeServer(t, c.answer), "/ws", "host", &transporttest.Options{Header: c.header})
			var v *transporttest.ViolationError
			switch {
			case c.section == "" && (err != nil || conn == nil || resp.StatusCode != http.StatusSwitchingProtocols):
				t.Errorf("connection %v, response %v, error %v, want an open connection", conn, resp, err)
			case c.section != "" && (!errors.As(err, &v) || v.Section != c.section || conn != nil):
				t.Errorf("connection %v, error %v, want a violation of section %s", conn, err, c.section)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	answer := "HTTP/1.1 403 Forbidden\r\nContent-Length: 18\r\n\r\norigin not allowed"
	conn, resp, err := transporttest.NewConn(fakeServer(t, answer), "/ws", "host", nil)
	if conn != nil || err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatalf("connection %v, response %v, error %v, want 403 alone", conn, resp, err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "origin not allowed" {
		t.Errorf("body %q, %v", body, err)
	}
	for _, answer := range []string{"", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 403 Forbidden\r\nContent-Length: 18\r\n\r\norigin"} {
		if conn, _, err := transporttest.NewConn(fakeServer(t, answer), "/ws", "host", nil); conn != nil || err == nil {
			t.Errorf("answer %q: connection %v, error %v, want an error", answer, conn, err)
		}
	}
}

// TestRequest compares the bytes of requests.
func TestRequest(t *testing.T) {
	const required = "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"
	cases := []struct {
		name string
		o    *transporttest.Options
		want string
	}{
		{"nil", nil, "GET /ws?client=a HTTP/1.1\r\nHost: example.com\r\n" + required + "\r\n"},
		{"more fields", &transporttest.Options{Header: http.Header{"origin": {"https://a"}, "X": {"1", "2"}}},
			"GET /ws?client=a HTTP/1.1\r\nHost: example.com\r\n" + required + "X: 1\r\nX: 2\r\norigin: https://a\r\n\r\n"},
		{"fields replaced and left out", &transporttest.Options{Header: http.Header{
			"HOST": {"other"}, "connection": nil, "sec-websocket-version": {"13", "8"}, "Upgrade": {"WEBSOCKET"},
		}}, "GET /ws?client=a HTTP/1.1\r\nHOST: other\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUpgrade: WEBSOCKET\r\n" +
			"sec-websocket-version: 13\r\nsec-websocket-version: 8\r\n\r\n"},
		{"edited, with early bytes", &transporttest.Options{
			Edit:  func(r string) string { return strings.Replace(r, "GET", "POST", 1) },
			Early: []byte("early"),
		}, "POST /ws?client=a HTTP/1.1\r\nHost: example.com\r\n" + required + "\r\nearly"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			own, peer := net.Pipe()
			got := make(chan string)
			go func() {
				b := make([]byte, 4096)
				n, _ := own.Read(b) // the comparison below shows what is missing
				own.Close()
				got <- string(b[:n])
			}()
			if _, _, err := transporttest.NewConn(peer, "/ws?client=a", "example.com", c.o); err == nil {
				t.Error("no error without an answer")
			}
			if got := <-got; got != c.want {
				t.Errorf("request\n%q, want\n%q", got, c.want)
			}
		})
	}
}
