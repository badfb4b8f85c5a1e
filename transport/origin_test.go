package transport_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// TestOrigin asks without upgrading: the origin is looked at first, so 403 means refused and 426 let through.
func TestOrigin(t *testing.T) {
	listed := []string{"https://app.example", "http://localhost:3000", "capacitor://localhost", "https://[2001:db8::1]"}
	const own = "plans.example:8080"
	cases := []struct {
		name    string
		host    string // own by default
		tls     bool
		origins []string // header lines
		allowed []string
		want    bool
	}{
		{"none", own, false, nil, nil, true},
		{"own", own, false, []string{"http://plans.example:8080"}, nil, true},
		{"own, other case", own, false, []string{"HTTP://Plans.Example:8080"}, nil, true},
		{"own, over TLS", own, true, []string{"https://plans.example:8080"}, nil, true},
		{"own, default port", "plans.example", false, []string{"http://plans.example"}, nil, true},
		{"own, default port spelled out", "plans.example:80", false, []string{"http://plans.example"}, nil, true},
		{"own, TLS default port spelled out", "plans.example", true, []string{"https://plans.example:443"}, nil, true},
		{"own, IPv6", "[::1]:8080", false, []string{"http://[::1]:8080"}, nil, true},
		{"own, IPv6 without port", "[::1]", false, []string{"http://[::1]"}, nil, true},
		{"own with others listed", own, false, []string{"http://plans.example:8080"}, listed, true},

		{"other scheme", own, false, []string{"https://plans.example:8080"}, nil, false},
		{"other scheme, over TLS", own, true, []string{"http://plans.example:8080"}, nil, false},
		{"other scheme with its default port", "plans.example:443", false, []string{"https://plans.example"}, nil, false},
		{"other port", own, false, []string{"http://plans.example:8081"}, nil, false},
		{"no port", own, false, []string{"http://plans.example"}, nil, false},
		{"port in place of the default", "plans.example", false, []string{"http://plans.example:8080"}, nil, false},
		{"other host", own, false, []string{"http://evil.example:8080"}, nil, false},
		{"longer host", own, false, []string{"http://plans.example.evil.com:8080"}, nil, false},
		{"host as suffix", own, false, []string{"http://evilplans.example:8080"}, nil, false},
		{"subdomain", own, false, []string{"http://a.plans.example:8080"}, nil, false},
		{"host as user", own, false, []string{"http://plans.example:8080@evil.example"}, nil, false},
		{"user", own, false, []string{"http://me@plans.example:8080"}, nil, false},
		{"path", own, false, []string{"http://plans.example:8080/"}, nil, false},
		{"query", own, false, []string{"http://plans.example:8080?"}, nil, false},
		{"fragment", own, false, []string{"http://plans.example:8080#"}, nil, false},
		{"null", own, false, []string{"null"}, nil, false},
		{"null with others listed", own, false, []string{"null"}, listed, false},
		{"empty", own, false, []string{""}, nil, false},
		{"two", own, false, []string{"http://plans.example:8080", "http://plans.example:8080"}, nil, false},
		{"two in one", own, false, []string{"http://plans.example:8080 http://evil.example"}, nil, false},
		{"port out of range", own, false, []string{"http://plans.example:65536"}, nil, false},
		{"empty port", "plans.example", false, []string{"http://plans.example:"}, nil, false},
		{"control character", own, false, []string{"http://plans.example:8080\x01"}, nil, false},
		{"no scheme", own, false, []string{"//plans.example:8080"}, nil, false},
		{"star", own, false, []string{"*"}, nil, false},

		{"listed", own, false, []string{"https://app.example"}, listed, true},
		{"listed, other case", own, false, []string{"https://APP.example"}, listed, true},
		{"listed, with port", own, false, []string{"http://localhost:3000"}, listed, true},
		{"listed, scheme of an application", own, false, []string{"capacitor://localhost"}, listed, true},
		{"listed, IPv6", own, false, []string{"https://[2001:DB8::1]"}, listed, true},
		{"listed, other scheme", own, false, []string{"http://app.example"}, listed, false},
		{"listed, other port", own, false, []string{"http://localhost:3001"}, listed, false},
		{"listed, subdomain", own, false, []string{"https://x.app.example"}, listed, false},
		{"listed, suffix", own, false, []string{"https://app.example.evil"}, listed, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			hub := newHub(t)
			h := transport.NewHandler(hub, verifier, &transport.Options{AllowedOrigins: c.allowed})
			r := httptest.NewRequest(http.MethodGet, "/ws", nil)
			r.Host = c.host
			r.Header["Origin"] = c.origins
			if c.origins == nil {
				delete(r.Header, "Origin")
			}
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			want := http.StatusForbidden
			if c.want {
				want = http.StatusUpgradeRequired
			}
			if w.Code != want {
				t.Errorf("Origin %q to %q: status %d, want %d", c.origins, c.host, w.Code, want)
			}
		})
	}
}

// TestOriginOfCookies asks without an Origin: what a cookie speaks for needs one.
func TestOriginOfCookies(t *testing.T) {
	authenticate := func(*http.Request) (auth.Identity, error) { return auth.Identity{UserID: "ann"}, nil }
	cases := []struct {
		name    string
		options transport.Options
		headers http.Header
		want    int
	}{
		{"token in a cookie", transport.Options{CookieName: "sid"}, http.Header{"Cookie": {"sid=x"}}, http.StatusForbidden},
		{"token in a cookie, own origin", transport.Options{CookieName: "sid"},
			http.Header{"Cookie": {"sid=x"}, "Origin": {"http://example.com"}}, http.StatusUpgradeRequired},
		{"token in a cookie, any origin", transport.Options{CookieName: "sid", InsecureAnyOrigin: true},
			http.Header{"Cookie": {"sid=x"}}, http.StatusUpgradeRequired},
		{"token elsewhere beside the cookie", transport.Options{CookieName: "sid"},
			http.Header{"Cookie": {"sid=x"}, "Authorization": {"Bearer y"}}, http.StatusUpgradeRequired},
		{"another cookie", transport.Options{CookieName: "sid"}, http.Header{"Cookie": {"theme=dark"}}, http.StatusUpgradeRequired},
		{"cookies not looked at", transport.Options{}, http.Header{"Cookie": {"sid=x"}}, http.StatusUpgradeRequired},
		{"Authenticate with a cookie", transport.Options{Authenticate: authenticate}, http.Header{"Cookie": {"sid=x"}}, http.StatusForbidden},
		{"Authenticate without a cookie", transport.Options{Authenticate: authenticate}, nil, http.StatusUpgradeRequired},
		{"Authenticate with a cookie, own origin", transport.Options{Authenticate: authenticate},
			http.Header{"Cookie": {"sid=x"}, "Origin": {"http://example.com"}}, http.StatusUpgradeRequired},
		{"any origin, foreign", transport.Options{InsecureAnyOrigin: true}, http.Header{"Origin": {"https://evil.example"}}, http.StatusUpgradeRequired},
		{"any origin, null", transport.Options{InsecureAnyOrigin: true}, http.Header{"Origin": {"null"}}, http.StatusUpgradeRequired},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/ws", nil)
			r.Header = c.headers.Clone()
			if r.Header == nil {
				r.Header = http.Header{}
			}
			w := httptest.NewRecorder()
			transport.NewHandler(newHub(t), verifier, &c.options).ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
		})
	}
}

// TestForeignOriginIsNotUpgraded sends a good token from a foreign page.
func TestForeignOriginIsNotUpgraded(t *testing.T) {
	s := newServer(t, config{})
	_, resp := open(t, s.Server, handshake{token: tokenOf("ann"), headers: http.Header{"Origin": {"https://evil.example"}}})
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d, want 403", resp.StatusCode)
	}
	c := dialWith(t, s.Server, handshake{token: tokenOf("ann"), headers: http.Header{"Origin": {s.URL}}})
	c.send(opClose, closePayload(protocol.CloseNormal, ""))
	c.end()
}

func TestNewHandlerPanics(t *testing.T) {
	hub := newHub(t)
	cases := []struct {
		name     string
		hub      *room.Hub
		verifier auth.Verifier
		options  transport.Options
	}{
		{"no hub", nil, verifier, transport.Options{}},
		{"no verifier", hub, nil, transport.Options{}},
		{"star as origin", hub, verifier, transport.Options{AllowedOrigins: []string{"*"}}},
		{"host as origin", hub, verifier, transport.Options{AllowedOrigins: []string{"app.example"}}},
		{"origin with a path", hub, verifier, transport.Options{AllowedOrigins: []string{"https://app.example/"}}},
		{"origin with a wildcard", hub, verifier, transport.Options{AllowedOrigins: []string{"https://*.app.example"}}},
		{"null as origin", hub, verifier, transport.Options{AllowedOrigins: []string{"null"}}},
		{"negative MaxConnections", hub, verifier, transport.Options{MaxConnections: -1}},
		{"negative VerifyTimeout", hub, verifier, transport.Options{VerifyTimeout: -1}},
		{"negative WriteBuffer", hub, verifier, transport.Options{WriteBuffer: -1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("NewHandler did not panic")
				}
			}()
			transport.NewHandler(c.hub, c.verifier, &c.options)
		})
	}
}

func FuzzCanonicalOrigin(f *testing.F) {
	for _, s := range []string{"http://a", "https://a:443", "https://[::1]:8443", "null", "http://a@b", "HTTP://A:080", "x://y:1", "A://::0", "a://[0:0::1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := transport.CanonicalOrigin(s)
		if err != nil {
			return
		}
		if again, err := transport.CanonicalOrigin(c); err != nil || again != c {
			t.Errorf("canonical form of %q is %q, and of that %q (%v)", s, c, again, err)
		}
	})
}
