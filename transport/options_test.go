package transport_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// TestValidateOrigins checks that Validate reports a bad origin, and accepts the origin that its
// error suggests.
func TestValidateOrigins(t *testing.T) {
	cases := []struct {
		entry string
		want  string // the error after the entry; "" if there is none
	}{
		{"https://app.example", ""},
		{"https://app.example:8443", ""},
		{"https://app.example:443", ""},
		{"http://localhost:3000", ""},
		{"http://127.0.0.1", ""},
		{"https://[2001:db8::1]:8443", ""},
		{"https://xn--bcher-kva.example", ""},
		{"capacitor://localhost", ""},
		{"chrome-extension://gighmmpiobklfepjocnamgkkbiglidom", ""},
		{"null", ""},
		{"file://", ""},

		{"", "is empty: write scheme://host"},
		{"*", "has a wildcard, which is not supported: list each origin, or set AllowOrigin"},
		{"https://*.app.example", "has a wildcard, which is not supported: list each origin, or set AllowOrigin"},
		{"https://app.example:*", "has a wildcard, which is not supported: list each origin, or set AllowOrigin"},
		{"https://app.example/", `ends with a slash: write "https://app.example"`},
		{"https://app.example:443/", `ends with a slash: write "https://app.example"`},
		{"https://app.example/board", `has a path, a query or a fragment: write "https://app.example"`},
		{"https://app.example//", `has a path, a query or a fragment: write "https://app.example"`},
		{"https://app.example?a=b", `has a path, a query or a fragment: write "https://app.example"`},
		{"https://app.example#top", `has a path, a query or a fragment: write "https://app.example"`},
		{"https://me:hunter2@app.example", `has a user: write "https://app.example"`},
		{"me:hunter2@app.example", `has no scheme: write "https://app.example"`},
		{"app.example", `has no scheme: write "https://app.example"`},
		{"//app.example", `has no scheme: write "https://app.example"`},
		{"app.example:8443", `has no scheme: write "https://app.example:8443"`},
		{"localhost:3000", `has no scheme: write "http://localhost:3000"`},
		{"HTTPS://app.example", `is not in lower case: write "https://app.example"`},
		{"https://App.Example", `is not in lower case: write "https://app.example"`},
		{"NULL", `is not in lower case: write "null"`},
		{"file:///home/ann/page.html", `has a path or a host, which browsers leave out: write "file://"`},
		{"ws://app.example", `is the address of a WebSocket and can never match: browsers send the origin of the page: write "http://app.example"`},
		{"wss://app.example/ws", `is the address of a WebSocket and can never match: browsers send the origin of the page: write "https://app.example"`},
		{"blob:https://app.example/5e1f", `can never match: browsers send the origin of the page that made the blob: write "https://app.example"`},
		{"https://b\u00fccher.example", `has a host outside ASCII and can never match: write the form of the host that begins with "xn--", which location.origin shows in a browser`},
		{"https://app.example:", `has no port after the colon: write "https://app.example"`},
		{"https://app.example:65536", "is not an origin: write scheme://host"},
		{"https://app.example:0", "has the port 0 and can never match: write scheme://host"},
		{"https://127.1", "has an address that is not in its usual form and can never match: write scheme://host"},
		{"https://010.0.0.1", "has an address that is not in its usual form and can never match: write scheme://host"},
		{"https://0x7f.1", "has an address that is not in its usual form and can never match: write scheme://host"},
		{"https://2001:db8::1", "is not an origin: write scheme://host"},
		{"https://a%2eb", "is not an origin: write scheme://host"},
		{" https://app.example", "has a space or a separator: write one origin per entry"},
		{"https://a.example,https://b.example", "has a space or a separator: write one origin per entry"},
	}
	suggestion := regexp.MustCompile(`: write "(.*)"$`)
	for _, c := range cases {
		err := (&transport.Options{AllowedOrigins: []string{"https://good.example", c.entry}}).Validate()
		if c.want == "" {
			if err != nil {
				t.Errorf("Validate of %q: %v", c.entry, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), "transport: Options.AllowedOrigins[1]: \"") || !strings.Contains(err.Error(), "\" "+c.want) {
			t.Errorf("Validate of %q: %v, want %s", c.entry, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Validate of %q contains the password: %v", c.entry, err)
		}
		if better := suggestion.FindStringSubmatch(err.Error()); better != nil {
			if err := (&transport.Options{AllowedOrigins: []string{better[1]}}).Validate(); err != nil {
				t.Errorf("Validate of %q suggests %q, which is invalid: %v", c.entry, better[1], err)
			}
		}
	}
}

func TestValidatePublicOrigin(t *testing.T) {
	for origin, want := range map[string]string{
		"":                       "",
		"https://plans.example":  "",
		"http://plans.example:8": "",
		"https://plans.example/": `transport: Options.PublicOrigin: "https://plans.example/" ends with a slash: write "https://plans.example"`,
		"wss://plans.example":    `browsers send the origin of the page: write "https://plans.example"`,
		"null":                   "is not the origin of a service: list it in AllowedOrigins",
		"file://":                "is not the origin of a service: list it in AllowedOrigins",
		"capacitor://localhost":  "is not an http or https origin: list the origin of an application in AllowedOrigins",
	} {
		err := (&transport.Options{PublicOrigin: origin}).Validate()
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("PublicOrigin %q: %v, want %q", origin, err, want)
		}
	}
}

// TestValidateAll checks that one error lists every fault, and that nil and zero options are valid.
func TestValidateAll(t *testing.T) {
	err := (&transport.Options{
		PublicOrigin: "plans.example", AllowedOrigins: []string{"*", "https://a.example", "null/"},
		MaxConnections: -1, VerifyTimeout: 300, WriteBuffer: -1,
	}).Validate()
	if err == nil {
		t.Fatal("Validate found nothing")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{"PublicOrigin: ", "AllowedOrigins[0]: ", "AllowedOrigins[2]: ", "MaxConnections: ", "VerifyTimeout: 300ns ", "WriteBuffer: "}
	if len(lines) != len(want) {
		t.Fatalf("Validate: %v, want %d lines", err, len(want))
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "transport: Options."+want[i]) {
			t.Errorf("line %d is %q, want one about %s", i, line, want[i])
		}
	}
	for _, options := range []*transport.Options{nil, {}, {VerifyTimeout: time.Millisecond}} {
		if err := options.Validate(); err != nil {
			t.Errorf("Validate(%+v): %v", options, err)
		}
	}
}

func TestNewHandlerPanics(t *testing.T) {
	hub := newHub(t)
	cases := []struct {
		name     string
		hub      *room.Hub
		verifier auth.Verifier
		options  transport.Options
		want     string
	}{
		{"no hub", nil, verifier, transport.Options{}, "hub is nil"},
		{"no verifier", hub, nil, transport.Options{}, "Options.Authenticate are both nil"},
		{"bad origin", hub, verifier, transport.Options{AllowedOrigins: []string{"*"}}, "Options.AllowedOrigins[0]"},
		{"bad public origin", hub, verifier, transport.Options{PublicOrigin: "plans.example"}, "Options.PublicOrigin"},
		{"negative MaxConnections", hub, verifier, transport.Options{MaxConnections: -1}, "Options.MaxConnections"},
		{"negative VerifyTimeout", hub, verifier, transport.Options{VerifyTimeout: -1}, "Options.VerifyTimeout"},
		{"VerifyTimeout without a unit", hub, verifier, transport.Options{VerifyTimeout: 300}, "Options.VerifyTimeout"},
		{"negative WriteBuffer", hub, verifier, transport.Options{WriteBuffer: -1}, "Options.WriteBuffer"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				text := ""
				switch v := recover().(type) {
				case string:
					text = v
				case error:
					text = v.Error()
				}
				if !strings.Contains(text, c.want) {
					t.Errorf("NewHandler panicked with %q, want %q", text, c.want)
				}
			}()
			transport.NewHandler(c.hub, c.verifier, &c.options)
		})
	}
}

// TestOptionsAreCopied changes the caller's options after NewHandler returns.
func TestOptionsAreCopied(t *testing.T) {
	options := transport.Options{AllowedOrigins: []string{"https://app.example"}}
	h := transport.NewHandler(newHub(t), verifier, &options)
	options.AllowedOrigins[0] = "https://evil.example"
	options.InsecureAnyOrigin = true
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	r.Header.Set("Origin", "https://evil.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusForbidden {
		t.Errorf("status %d, want 403", w.Code)
	}
}

// FuzzValidate checks that a page of an origin that Validate accepts can connect, and that a page
// of another origin cannot.
func FuzzValidate(f *testing.F) {
	for _, s := range []string{"https://app.example", "http://[::1]:8080", "null", "file://", "https://App.example", "a://b:0", "https://127.1", "x-y.z+1://h", "ws://a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		options := transport.Options{AllowedOrigins: []string{entry}}
		if options.Validate() != nil {
			return
		}
		if !mayConnect(t, options, pageRequest{host: "plans.example", origins: []string{entry}}) {
			t.Errorf("the origin %q was refused although it is listed", entry)
		}
		if mayConnect(t, options, pageRequest{host: "plans.example", origins: []string{"https://evil.invalid"}}) && entry != "https://evil.invalid" {
			t.Errorf("%q accepts https://evil.invalid", entry)
		}
	})
}
