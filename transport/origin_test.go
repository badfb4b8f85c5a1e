package transport_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport"
)

// pageRequest is a handshake of a page, with what the check of its origin depends on.
type pageRequest struct {
	host    string // of the request
	tls     bool   // this server ends TLS
	origins []string
	cookie  string
}

// mayConnect sends a request that is not an upgrade. The handler checks the origin first, so 403
// means that it refused the origin, and 426 that it accepted it.
func mayConnect(t *testing.T, options transport.Options, p pageRequest) bool {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	r.Host = p.host
	for _, origin := range p.origins {
		r.Header.Add("Origin", origin)
	}
	if p.cookie != "" {
		r.Header.Set("Cookie", p.cookie)
	}
	if p.tls {
		r.TLS = &tls.ConnectionState{}
	}
	w := httptest.NewRecorder()
	transport.NewHandler(newHub(t), verifier, &options).ServeHTTP(w, r)
	switch w.Code {
	case http.StatusForbidden:
		return false
	case http.StatusUpgradeRequired:
		return true
	}
	t.Fatalf("%+v: status %d, want 403 or 426", p, w.Code)
	panic("unreachable")
}

func anyUser(*http.Request) (auth.Identity, error) { return auth.Identity{UserID: "ann"}, nil }

// TestOriginRule compares every combination of TLS termination, options, credentials and host with
// the rule.
func TestOriginRule(t *testing.T) {
	const listed = "https://app.example"
	set := map[string]transport.Options{
		"PublicOrigin":   {PublicOrigin: listed},
		"AllowedOrigins": {AllowedOrigins: []string{"https://other.example", listed}},
		"AllowOrigin":    {AllowOrigin: func(_ *http.Request, origin *url.URL) bool { return origin.String() == listed }},
	}
	none := map[string]transport.Options{"no option": {}}
	credentials := map[bool]map[string]func(*transport.Options) (cookie string){
		true: {
			"token in a cookie":          func(o *transport.Options) string { o.CookieName = "sid"; return "sid=x" },
			"Authenticate with a cookie": func(o *transport.Options) string { o.Authenticate = anyUser; return "theme=dark" },
		},
		false: {
			"token elsewhere":               func(*transport.Options) string { return "theme=dark" },
			"another cookie":                func(o *transport.Options) string { o.CookieName = "sid"; return "theme=dark" },
			"Authenticate without a cookie": func(o *transport.Options) string { o.Authenticate = anyUser; return "" },
		},
	}
	public := []string{"plans.example", "plans.example:8080", "10.0.0.1", "localhost.example", "evillocalhost", "127.0.0.1.example", "[2001:db8::1]:8080"}
	local := []string{"localhost", "localhost:8080", "LOCALHOST:8080", "app.localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::ffff:127.0.0.1]"}
	cases := []struct {
		name    string
		hosts   []string
		tls     bool
		options map[string]transport.Options
		cookies bool
		want    string // accepted ones of: none, http (own), https (own), listed, foreign
	}{
		{"plain", public, false, none, false, "none http https"},
		{"plain, cookies", public, false, none, true, ""},
		{"plain, listed", public, false, set, false, "none listed"},
		{"plain, listed, cookies", public, false, set, true, "listed"},
		{"TLS", public, true, none, false, "none https"},
		{"TLS, cookies", public, true, none, true, "https"},
		{"TLS, listed", public, true, set, false, "none https listed"},
		{"TLS, listed, cookies", public, true, set, true, "https listed"},
		{"loopback", local, false, none, false, "none http https"},
		{"loopback, cookies", local, false, none, true, "http https"},
		{"loopback, listed", local, false, set, false, "none listed"},
		{"loopback, listed, cookies", local, false, set, true, "listed"},
		{"loopback TLS", local, true, none, false, "none https"},
		{"loopback TLS, cookies", local, true, none, true, "https"},
		{"loopback TLS, listed", local, true, set, false, "none https listed"},
		{"loopback TLS, listed, cookies", local, true, set, true, "https listed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for optionName, options := range c.options {
				for credential, configure := range credentials[c.cookies] {
					options := options
					cookie := configure(&options)
					for _, host := range c.hosts {
						var accepted []string
						for _, o := range []struct{ name, origin string }{
							{"none", ""}, {"http", "http://" + host}, {"https", "https://" + host}, {"listed", listed}, {"foreign", "https://evil.example"},
						} {
							p := pageRequest{host: host, tls: c.tls, cookie: cookie}
							if o.origin != "" {
								p.origins = []string{o.origin}
							}
							if mayConnect(t, options, p) {
								accepted = append(accepted, o.name)
							}
						}
						if got := strings.Join(accepted, " "); got != c.want {
							t.Errorf("%s, %s, host %s: accepted %q, want %q", optionName, credential, host, got, c.want)
						}
					}
				}
			}
		})
	}
}

// TestOriginForm checks which forms of the Origin header match the same origin.
func TestOriginForm(t *testing.T) {
	listed := []string{"https://app.example", "http://localhost:3000", "capacitor://localhost", "https://[2001:db8::1]", "https://xn--bcher-kva.example:444"}
	const own = "plans.example:8080"
	cases := []struct {
		name    string
		host    string
		tls     bool
		origins []string // header lines
		listed  []string
		want    bool
	}{
		{"own", own, false, []string{"http://plans.example:8080"}, nil, true},
		{"own, other case", own, false, []string{"HTTP://Plans.Example:8080"}, nil, true},
		{"own, host in other case", "Plans.EXAMPLE:8080", false, []string{"http://plans.example:8080"}, nil, true},
		{"own, default port spelled out", "plans.example:80", false, []string{"http://plans.example"}, nil, true},
		{"own, default port of https spelled out", "plans.example:443", false, []string{"https://plans.example"}, nil, true},
		{"own, TLS default port spelled out", "plans.example", true, []string{"https://plans.example:443"}, nil, true},
		{"own, IPv6", "[::1]:8080", false, []string{"http://[::1]:8080"}, nil, true},
		{"own, IPv6 in another form", "[0:0::1]", false, []string{"http://[::1]"}, nil, true},

		{"other port", own, false, []string{"http://plans.example:8081"}, nil, false},
		{"no port", own, false, []string{"http://plans.example"}, nil, false},
		{"port of the other scheme", "plans.example:80", false, []string{"https://plans.example"}, nil, false},
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
		{"file", own, false, []string{"file://"}, nil, false},
		{"empty", own, false, []string{""}, nil, false},
		{"two", own, false, []string{"http://plans.example:8080", "http://plans.example:8080"}, nil, false},
		{"two in one", own, false, []string{"http://plans.example:8080 http://evil.example"}, nil, false},
		{"port out of range", own, false, []string{"http://plans.example:65536"}, nil, false},
		{"empty port", "plans.example", false, []string{"http://plans.example:"}, nil, false},
		{"control character", own, false, []string{"http://plans.example:8080\x01"}, nil, false},
		{"letter that becomes k in lower case", "k.example", false, []string{"http://\u212a.example"}, nil, false},
		{"no scheme", own, false, []string{"//plans.example:8080"}, nil, false},
		{"star", own, false, []string{"*"}, nil, false},
		{"no host in the request", "", false, []string{"http://"}, nil, false},

		{"listed", own, false, []string{"https://app.example"}, listed, true},
		{"listed, other case", own, false, []string{"https://APP.example"}, listed, true},
		{"listed, default port spelled out", own, false, []string{"https://app.example:443"}, listed, true},
		{"listed, with port", own, false, []string{"http://localhost:3000"}, listed, true},
		{"listed, scheme of an application", own, false, []string{"capacitor://localhost"}, listed, true},
		{"listed, IPv6", own, false, []string{"https://[2001:DB8::1]"}, listed, true},
		{"listed, internationalized", own, false, []string{"https://xn--bcher-kva.example:444"}, listed, true},
		{"listed, other scheme", own, false, []string{"http://app.example"}, listed, false},
		{"listed, other port", own, false, []string{"http://localhost:3001"}, listed, false},
		{"listed, subdomain", own, false, []string{"https://x.app.example"}, listed, false},
		{"listed, suffix", own, false, []string{"https://app.example.evil"}, listed, false},
		{"listed, twice", own, false, []string{"https://app.example", "https://app.example"}, listed, false},
		{"listed, and foreign", own, false, []string{"https://app.example", "https://evil.example"}, listed, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := mayConnect(t, transport.Options{AllowedOrigins: c.listed}, pageRequest{host: c.host, tls: c.tls, origins: c.origins})
			if got != c.want {
				t.Errorf("Origin %q to %q: accepted %v, want %v", c.origins, c.host, got, c.want)
			}
		})
	}
}

// TestOpaqueOrigins lists null and file://, which any site can send. They count for tokens that a
// page must know, but not for credentials that a browser adds.
func TestOpaqueOrigins(t *testing.T) {
	for _, origin := range []string{"null", "file://"} {
		for _, c := range []struct {
			name    string
			options transport.Options
			cookie  string
			want    bool
		}{
			{"token", transport.Options{}, "", true},
			{"token beside a cookie", transport.Options{}, "sid=x", true},
			{"token elsewhere than in the cookie", transport.Options{CookieName: "sid"}, "theme=dark", true},
			{"token in a cookie", transport.Options{CookieName: "sid"}, "sid=x", false},
			{"Authenticate with a cookie", transport.Options{Authenticate: anyUser}, "sid=x", false},
			{"Authenticate without a cookie", transport.Options{Authenticate: anyUser}, "", false},
			{"any origin", transport.Options{InsecureAnyOrigin: true, CookieName: "sid"}, "sid=x", true},
		} {
			for _, tls := range []bool{false, true} {
				options := c.options
				options.AllowedOrigins = []string{"https://app.example", origin}
				if got := mayConnect(t, options, pageRequest{host: "plans.example", tls: tls, origins: []string{origin}, cookie: c.cookie}); got != c.want {
					t.Errorf("%s, %s, TLS %v: accepted %v, want %v", origin, c.name, tls, got, c.want)
				}
			}
		}
	}
}

func TestInsecureAnyOrigin(t *testing.T) {
	options := transport.Options{InsecureAnyOrigin: true, CookieName: "sid"}
	for _, origins := range [][]string{nil, {"https://evil.example"}, {"null"}, {"*"}, {"https://a.example", "https://b.example"}} {
		if !mayConnect(t, options, pageRequest{host: "plans.example", origins: origins, cookie: "sid=x"}) {
			t.Errorf("Origin %q was refused", origins)
		}
	}
}

// TestAllowOrigin checks when AllowOrigin is called, and with which origin.
func TestAllowOrigin(t *testing.T) {
	cases := []struct {
		name    string
		tls     bool
		origins []string
		cookie  string
		asked   []string // "" and what AllowOrigin received
		want    bool
	}{
		{"accepted", false, []string{"https://acme.plans.example"}, "", []string{"https://acme.plans.example"}, true},
		{"accepted, with a cookie", false, []string{"https://acme.plans.example"}, "sid=x", []string{"https://acme.plans.example"}, true},
		{"canonical", false, []string{"HTTPS://Acme.Plans.Example:443"}, "", []string{"https://acme.plans.example"}, true},
		{"refused", false, []string{"https://evil.example:8443"}, "", []string{"https://evil.example:8443"}, false},
		{"own", false, []string{"http://plans.example"}, "", []string{"http://plans.example"}, false},
		{"own, TLS", true, []string{"https://plans.example"}, "", nil, true},
		{"listed", false, []string{"https://listed.example"}, "", nil, true},
		{"missing", false, nil, "", nil, true},
		{"missing, with a cookie", false, nil, "sid=x", nil, false},
		{"repeated", false, []string{"https://acme.plans.example", "https://acme.plans.example"}, "", nil, false},
		{"two in one", false, []string{"https://acme.plans.example, https://acme.plans.example"}, "", nil, false},
		{"malformed", false, []string{"https://acme.plans.example/"}, "", nil, false},
		{"empty", false, []string{""}, "", nil, false},
		{"null", false, []string{"null"}, "", nil, false},
		{"file", false, []string{"file://"}, "", nil, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var asked []string
			options := transport.Options{
				CookieName:     "sid",
				AllowedOrigins: []string{"https://listed.example"},
				AllowOrigin: func(r *http.Request, origin *url.URL) bool {
					if r.Host != "plans.example" {
						t.Errorf("AllowOrigin got a request to %q", r.Host)
					}
					asked = append(asked, origin.String())
					return strings.HasSuffix(origin.Hostname(), ".plans.example")
				},
			}
			got := mayConnect(t, options, pageRequest{host: "plans.example", tls: c.tls, origins: c.origins, cookie: c.cookie})
			if got != c.want || !slices.Equal(asked, c.asked) {
				t.Errorf("accepted %v after AllowOrigin got %q, want %v after %q", got, asked, c.want, c.asked)
			}
		})
	}
}

// TestForeignOriginIsNotUpgraded sends a valid token from a page of another site.
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

func FuzzCanonicalOrigin(f *testing.F) {
	for _, s := range []string{"http://a", "https://a:443", "https://[::1]:8443", "null", "http://a@b", "HTTP://A:080", "x://y:1", "A://::0", "a://[0:0::1]", "file://", "https://b\u00fccher.example", "http://\u212a"} {
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
