package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/transport"
)

// logEverything logs what access logs print of a request, and more, before and after next.
func logEverything(out *lockedBuffer, next http.Handler) http.Handler {
	write := func(r *http.Request) {
		fmt.Fprintln(out, r.RequestURI, r.URL, r.URL.RequestURI(), r.URL.RawQuery, r.URL.Query(), r.Referer(), r.Header)
		fmt.Fprintln(out, r.FormValue("token"), r.Form, r.Context())
		for _, format := range []string{"%v\n", "%+v\n", "%#v\n"} {
			fmt.Fprintf(out, format, r)
			fmt.Fprintf(out, format, *r)
			fmt.Fprintf(out, format, *r.URL)
			fmt.Fprintf(out, format, r.Context())
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if dump, err := httputil.DumpRequest(r, false); err == nil {
			fmt.Fprintf(out, "%s\n", dump)
		}
		write(r)
		next.ServeHTTP(w, r)
		write(r)
	})
}

// TestHideToken connects clients with a token in their URL through a log and through middleware
// that changes requests. The handler must find the token, and the log must not contain it.
func TestHideToken(t *testing.T) {
	type key struct{}
	middleware := map[string]func(http.Handler) http.Handler{
		"none": func(next http.Handler) http.Handler { return next },
		"clone": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), key{}, "x"), time.Hour)
				defer cancel()
				next.ServeHTTP(w, r.Clone(ctx))
			})
		},
		"a parsed form": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := r.ParseForm(); err != nil {
					http.Error(w, "bad request", http.StatusBadRequest)
					return
				}
				next.ServeHTTP(w, r)
			})
		},
		"mux and prefix": func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("GET /{path}", http.StripPrefix("/ws", next))
			return mux
		},
		"another query": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r = r.Clone(r.Context())
				q := r.URL.Query()
				q.Set("tenant", "x")
				r.URL.RawQuery = q.Encode()
				next.ServeHTTP(w, r)
			})
		},
		"twice": transport.HideToken,
	}
	cases := []struct {
		query string
		want  int
	}{
		{"?token=token-of-CANARY", 101},
		{"?client=tab&token=token-of-CANARY", 101},
		{"?token=token-of-CANARY&client=tab", 101},
		{"?client=tab&%74oken=token-of-CANARY&x=y", 101},
		{"?token=token%2Dof-CANARY", 101},
		{"?token=CANARY", 401},
		{"?token=token-of-CANARY&token=token-of-CANARY", 401},
		{"?token=token-of-CANARY;client=tab", 401},
		{"?client=tab;token=token-of-CANARY", 401},
		{"?Token=token-of-CANARY", 401},
		{"?token=token-of-CANARY%", 401},
		{"?client=a.b&token=token-of-CANARY", 400},
		{"??token=token-of-CANARY", 401},
		{"?client=a?token=token-of-CANARY", 400},
	}
	for name, wrap := range middleware {
		t.Run(name, func(t *testing.T) {
			var log lockedBuffer
			s := newServer(t, config{wrap: func(h http.Handler) http.Handler {
				return transport.HideToken(logEverything(&log, wrap(logEverything(&log, h))))
			}})
			for _, c := range cases {
				client, resp := open(t, s.Server, handshake{query: c.query, headers: http.Header{
					"Referer": {s.URL + "/page", s.URL + "/page?plan=demo&token=CANARY"},
				}})
				if resp.StatusCode != c.want {
					t.Errorf("%s: status %d, want %d", c.query, resp.StatusCode, c.want)
				}
				if resp.StatusCode == http.StatusSwitchingProtocols {
					client.next()
					client.send(opClose, closePayload(1000, ""))
					client.end()
				}
			}
			s.Close() // completes the log
			if text := log.String(); strings.Contains(text, "CANARY") {
				i := strings.Index(text, "CANARY")
				t.Errorf("the log contains a token: %q", text[max(0, i-200):min(len(text), i+20)])
			}
			if !strings.Contains(log.String(), "client=tab") || !strings.Contains(log.String(), "/page?plan=demo") {
				t.Errorf("the log lacks the part that is not secret:\n%s", log.String())
			}
		})
	}
}

// TestHideTokenOfOthers checks that HideToken changes only WebSocket handshakes, and that it does
// not change the caller's request.
func TestHideTokenOfOthers(t *testing.T) {
	request := func(headers http.Header, target string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, target, nil)
		r.Header = headers
		return r
	}
	hidden := func(r *http.Request) *http.Request {
		var got *http.Request
		transport.HideToken(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(httptest.NewRecorder(), r)
		return got
	}
	for name, r := range map[string]*http.Request{
		"REST":                        request(http.Header{}, "/reset?token=a"),
		"REST with another upgrade":   request(http.Header{"Upgrade": {"h2c"}}, "/reset?token=a"),
		"handshake without a token":   request(http.Header{"Upgrade": {"websocket"}}, "/ws?client=a&mytoken=b&tokens=c"),
		"handshake without a query":   request(http.Header{"Upgrade": {"websocket"}, "Referer": {"http://example.com/"}}, "/ws"),
		"handshake with token's name": request(http.Header{"Upgrade": {"websocket"}}, "/token?client=token"),
	} {
		if hidden(r) != r {
			t.Errorf("%s: the request was changed", name)
		}
	}
	for name, headers := range map[string]http.Header{
		"upgrade":                    {"Upgrade": {"WebSocket"}},
		"one of several":             {"Upgrade": {"h2c, websocket"}},
		"without the upgrade":        {"Sec-Websocket-Key": {"x"}},
		"over HTTP/2":                {"Sec-Websocket-Version": {"13"}},
		"with the token as referrer": {"Upgrade": {"websocket"}, "Referer": {"http://example.com/?token=a"}},
	} {
		for target, want := range map[string]string{
			"/ws?token=a":                        "/ws",
			"/ws?token=a&client=b":               "/ws?client=b",
			"/ws?x=1&token=a&y=%20&&z":           "/ws?x=1&y=%20&&z",
			"http://example.com/ws?token=a&c":    "http://example.com/ws?c",
			"/ws?x=1&token=a&token=b&token&=&?y": "/ws?x=1&=&?y",
		} {
			r := request(headers.Clone(), target)
			if err := r.ParseForm(); err != nil {
				t.Fatal(err)
			}
			got := hidden(r)
			if got == r || got.RequestURI != want || got.URL.String() != want || got.FormValue("token") != "" {
				t.Errorf("%s: %s became %s and %s with form %v, want %s", name, target, got.RequestURI, got.URL, got.Form, want)
			}
			if r.RequestURI != target || r.URL.String() != target || r.FormValue("token") != "a" || !cmp.Equal(r.Header, headers) {
				t.Errorf("%s: the caller's request became %s, %s, %v, %v", name, r.RequestURI, r.URL, r.Form, r.Header)
			}
		}
	}
}

// TestHideTokenAndCallbacks checks that the functions of the host find the token in the URL.
func TestHideTokenAndCallbacks(t *testing.T) {
	var seen []string
	look := func(r *http.Request) {
		seen = append(seen, r.URL.Query().Get("token"), r.FormValue("token"), r.URL.Query().Get("client"))
	}
	s := newServer(t, config{
		wrap: func(h http.Handler) http.Handler {
			return transport.HideToken(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got := r.FormValue("token"); got != "" { // parses the form
					t.Errorf("middleware finds the token %q", got)
				}
				h.ServeHTTP(w, r)
			}))
		},
		options: transport.Options{
			Authenticate: func(r *http.Request) (auth.Identity, error) {
				look(r)
				return verifier.Verify(r.Context(), r.FormValue("token"))
			},
			AllowOrigin: func(r *http.Request, _ *url.URL) bool { look(r); return true },
		},
	})
	c := dialWith(t, s.Server, handshake{query: "?client=tab&token=token-of-ann", headers: http.Header{"Origin": {"https://a.example"}}})
	c.join("p")
	if diff := cmp.Diff([]string{"token-of-ann", "token-of-ann", "tab", "token-of-ann", "token-of-ann", "tab"}, seen); diff != "" {
		t.Errorf("AllowOrigin and Authenticate saw (-want +got):\n%s", diff)
	}
}

func TestHideTokenPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("HideToken(nil) did not panic")
		}
	}()
	transport.HideToken(nil)
}

// FuzzHideToken checks that the query keeps nothing that parses as a token, and that the handler
// finds the original query.
func FuzzHideToken(f *testing.F) {
	for _, s := range []string{"token=a", "client=b&token=a", "%74oken=a;b", "token=a&token=b&x=%zz", "&&=&token", "TOKEN=a?b#c", "a=token"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, query string) {
		var found url.Values
		h := transport.NewHandler(newHub(t), verifier, &transport.Options{
			AllowOrigin: func(r *http.Request, _ *url.URL) bool { found = r.URL.Query(); return false },
		})
		r := httptest.NewRequest(http.MethodGet, "/ws", nil)
		r.Header = http.Header{"Upgrade": {"websocket"}, "Origin": {"https://a.example"}}
		r.URL.RawQuery, r.RequestURI = query, "/ws?"+query
		want := r.URL.Query()
		transport.HideToken(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, requested, _ := strings.Cut(r.RequestURI, "?")
			for _, q := range []string{r.URL.RawQuery, requested} {
				values, _ := url.ParseQuery(q) // best effort
				for name := range values {
					if strings.EqualFold(name, "token") {
						t.Errorf("%q is left of %q", q, query)
					}
				}
			}
			h.ServeHTTP(w, r)
		})).ServeHTTP(httptest.NewRecorder(), r)
		if diff := cmp.Diff(want, found); diff != "" {
			t.Errorf("the handler finds another query than %q (-want +got):\n%s", query, diff)
		}
	})
}
