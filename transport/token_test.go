package transport_test

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport"
)

func subprotocolOf(token string) string {
	return protocol.TokenSubprotocolPrefix + base64.RawURLEncoding.EncodeToString([]byte(token))
}

// TestToken checks which token the verifier receives. The verifier refuses all tokens, so the test
// also shows that the handler does not try another one.
func TestToken(t *testing.T) {
	const none = "(not called)"
	long := strings.Repeat("x", protocol.MaxTokenBytes)
	tooLong := long + "x"
	sub := func(values ...string) []string { return values }
	cases := []struct {
		name    string
		headers http.Header
		query   string
		want    string // token
		status  int    // 401 by default
	}{
		{"nothing", nil, "", none, 0},
		{"header", http.Header{"Authorization": {"Bearer h"}}, "", "h", 0},
		{"header, scheme has no case", http.Header{"Authorization": {"bEARER h"}}, "", "h", 0},
		{"header, spaces", http.Header{"Authorization": {"Bearer   h  "}}, "", "h", 0},
		{"header, empty", http.Header{"Authorization": {"Bearer "}}, "?token=q", none, 0},
		{"header, twice", http.Header{"Authorization": {"Bearer h", "Bearer i"}}, "", none, 0},
		{"header, another scheme", http.Header{"Authorization": {"Basic YTpi"}}, "?token=q", "q", 0},
		{"header, scheme as prefix", http.Header{"Authorization": {"Bearerx h"}}, "", none, 0},
		{"header, longest", http.Header{"Authorization": {"Bearer " + long}}, "", long, 0},
		{"header, too long", http.Header{"Authorization": {"Bearer " + tooLong}}, "?token=q", none, 0},

		{"subprotocol", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf("s"))}, "", "s", 0},
		{"subprotocol, other order", http.Header{"Sec-Websocket-Protocol": sub(subprotocolOf("s") + ",planrooms.v1")}, "", "s", 0},
		{"subprotocol, two lines", http.Header{"Sec-Websocket-Protocol": sub(subprotocolOf("s"), "planrooms.v1")}, "", "s", 0},
		{"subprotocol, any bytes", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf("a b\x00ü"))}, "", "a b\x00ü", 0},
		{"subprotocol, longest", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf(long))}, "", long, 0},
		{"subprotocol, too long", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf(tooLong))}, "", none, 0},
		{"subprotocol, no base64url", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, base64url.bearer.planrooms.a+b/")}, "?token=q", none, 0},
		{"subprotocol, padded", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, base64url.bearer.planrooms.cw==")}, "", none, 0},
		{"subprotocol, empty", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, base64url.bearer.planrooms.")}, "", none, 0},
		{"subprotocol, twice", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf("s") + ", " + subprotocolOf("t"))}, "", none, 0},
		{"subprotocol alone", http.Header{"Sec-Websocket-Protocol": sub(subprotocolOf("s"))}, "", none, 400},
		{"subprotocol beside another", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v2, " + subprotocolOf("s"))}, "", none, 400},
		{"subprotocol beside another case", http.Header{"Sec-Websocket-Protocol": sub("Planrooms.V1, " + subprotocolOf("s"))}, "", none, 400},
		{"subprotocol without token", http.Header{"Sec-Websocket-Protocol": sub("planrooms.v1")}, "?token=q", "q", 0},

		{"query", nil, "?token=q%20r", "q r", 0},
		{"query, empty", http.Header{"Cookie": {"sid=c"}, "Origin": nil}, "?token=", none, 0},
		{"query, twice", nil, "?token=q&token=r", none, 0},
		{"query, too long", nil, "?token=" + tooLong, none, 0},
		{"cookie", http.Header{"Cookie": {"a=b; sid=c"}}, "", "c", 0},
		{"cookie, twice", http.Header{"Cookie": {"sid=c; sid=d"}}, "", none, 0},
		{"cookie, empty", http.Header{"Cookie": {"sid="}}, "", none, 0},

		{"header before all", http.Header{
			"Authorization": {"Bearer h"}, "Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf("s")), "Cookie": {"sid=c"},
		}, "?token=q", "h", 0},
		{"subprotocol before query", http.Header{
			"Sec-Websocket-Protocol": sub("planrooms.v1, " + subprotocolOf("s")), "Cookie": {"sid=c"},
		}, "?token=q", "s", 0},
		{"query before cookie", http.Header{"Cookie": {"sid=c"}}, "?token=q", "q", 0},
	}
	var asked string
	s := newServer(t, config{
		verifier: auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
			asked = token
			return auth.Identity{}, auth.ErrInvalidToken
		}),
		// Without InsecureAnyOrigin, a cookie needs an Origin, and the handler would refuse a
		// request with an Origin with a close frame instead of a status.
		options: transport.Options{CookieName: "sid", InsecureAnyOrigin: true},
	})
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			asked = none
			_, resp := open(t, s.Server, handshake{query: c.query, headers: c.headers})
			if asked != c.want {
				t.Errorf("the verifier got %.40q, want %.40q", asked, c.want)
			}
			want := c.status
			if want == 0 {
				want = http.StatusUnauthorized
			}
			if resp.StatusCode != want {
				t.Errorf("status %d, want %d", resp.StatusCode, want)
			}
			if got := resp.Header.Get("WWW-Authenticate"); want == 401 && got != "Bearer" {
				t.Errorf("WWW-Authenticate = %q, want Bearer", got)
			}
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(body); want == 401 && got != "unauthorized\n" {
				t.Errorf("body %q is not the constant text", got)
			}
		})
	}
}

// TestSubprotocolEcho checks which subprotocol the server chooses.
func TestSubprotocolEcho(t *testing.T) {
	s := newServer(t, config{})
	cases := []struct{ name, offered, token, want string }{
		{"none offered", "", tokenOf("ann"), ""},
		{"ours", "planrooms.v1", tokenOf("ann"), "planrooms.v1"},
		{"beside another", "chat, planrooms.v1", tokenOf("ann"), "planrooms.v1"},
		{"with a token", "planrooms.v1, " + subprotocolOf(tokenOf("ann")), "", "planrooms.v1"},
		{"with a token, other order", subprotocolOf(tokenOf("ann")) + ", planrooms.v1", "", "planrooms.v1"},
		{"with a bad token", "planrooms.v1, " + subprotocolOf("bad"), "", "planrooms.v1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := handshake{token: c.token, headers: http.Header{
				"Origin": {s.URL}, "Sec-Websocket-Extensions": {"permessage-deflate; client_max_window_bits"},
			}}
			if c.offered != "" {
				h.headers.Set("Sec-WebSocket-Protocol", c.offered)
			}
			_, resp := open(t, s.Server, h)
			if resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("status %d, want 101", resp.StatusCode)
			}
			if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != c.want {
				t.Errorf("Sec-WebSocket-Protocol = %q, want %q", got, c.want)
			}
			if got := resp.Header.Get("Sec-WebSocket-Extensions"); got != "" {
				t.Errorf("Sec-WebSocket-Extensions = %q, want none", got)
			}
		})
	}
}

func TestClientID(t *testing.T) {
	s := newServer(t, config{})
	for _, c := range []struct {
		query string
		want  string // "" means the connection ID
		bad   bool
	}{
		{query: ""},
		{query: "?client=tab_1-A", want: "tab_1-A"},
		{query: "?client=" + strings.Repeat("x", 64), want: strings.Repeat("x", 64)},
		{query: "?client=" + strings.Repeat("x", 65), bad: true},
		{query: "?client=", bad: true},
		{query: "?client=a&client=b", bad: true},
		{query: "?client=" + url.QueryEscape("ä"), bad: true},
		{query: "?client=a.b", bad: true},
	} {
		conn, resp := open(t, s.Server, handshake{query: c.query, token: tokenOf("ann")})
		if c.bad {
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%.40s: status %d, want 400", c.query, resp.StatusCode)
			}
			continue
		}
		hello := decodeData[protocol.Hello](t, conn.next())
		want := c.want
		if want == "" {
			want = hello.ConnectionID
		}
		if hello.ClientID != want || hello.UserID != "ann" || hello.Protocol != protocol.Version || !hello.Connected {
			t.Errorf("%.40s: hello %+v, want client id %q of ann", c.query, hello, want)
		}
	}
}
