package transport_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/transport"
)

// originLine is a log line about a refused origin.
type originLine struct {
	Level, Msg, Origin, Expected, Error, Remote string
	Suppressed                                  int
}

// originLines returns the lines about refused origins. It fails the test on other lines above level
// DEBUG.
func originLines(t *testing.T, log string) []originLine {
	t.Helper()
	var lines []originLine
	for text := range strings.Lines(log) {
		var line originLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("log line %q: %v", text, err)
		}
		if line.Level != "DEBUG" {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestOriginLog checks the log line about a refused origin.
func TestOriginLog(t *testing.T) {
	const jwt = "eyCANARY.eyCANARYbody.CANARYsig"
	listed := transport.Options{
		PublicOrigin:   "https://plans.example",
		AllowedOrigins: []string{"https://app.example"},
		AllowOrigin:    func(*http.Request, *url.URL) bool { return false },
	}
	const notAllowed = "transport: origin not allowed"
	cases := []struct {
		name    string
		options transport.Options
		origins []string
		cookie  string
		query   string
		want    originLine
	}{
		{"foreign", transport.Options{}, []string{"https://evil.example"}, "", "",
			originLine{Origin: "https://evil.example", Expected: "http://plans.example, https://plans.example", Error: notAllowed}},
		{"foreign, listed", listed, []string{"https://evil.example"}, "", "",
			originLine{Origin: "https://evil.example", Expected: "https://plans.example, https://app.example, what Options.AllowOrigin accepts", Error: notAllowed}},
		{"many listed", transport.Options{AllowedOrigins: strings.Fields("a://a a://b a://c a://d a://e a://f a://g a://h a://i a://j")},
			[]string{"https://evil.example"}, "", "",
			originLine{Origin: "https://evil.example", Expected: "a://a, a://b, a://c, a://d, a://e, a://f, a://g, a://h, 2 more", Error: notAllowed}},
		{"cookie over plain HTTP", transport.Options{CookieName: "sid"}, []string{"https://plans.example"}, "sid=s-81f3a0c2", "",
			originLine{Origin: "https://plans.example", Expected: "an origin in Options.PublicOrigin or Options.AllowedOrigins",
				Error: notAllowed + ": over plain HTTP, a cookie counts only from an origin that Options list"}},
		{"cookie without an origin", transport.Options{CookieName: "sid", PublicOrigin: "https://plans.example"}, nil, "sid=s-81f3a0c2", "",
			originLine{Expected: "https://plans.example", Error: notAllowed + ": a request with a cookie must have an Origin"}},
		{"null and a cookie", transport.Options{CookieName: "sid", AllowedOrigins: []string{"null"}}, []string{"null"}, "sid=s-81f3a0c2", "",
			originLine{Origin: "null", Expected: "null", Error: notAllowed + ": null and file:// do not count for cookies and Authenticate"}},
		{"repeated", transport.Options{}, []string{"https://a.example", "https://b.example"}, "", "",
			originLine{Origin: "https://a.example, https://b.example", Expected: "http://plans.example, https://plans.example",
				Error: notAllowed + ": the request has several Origin headers"}},
		{"control characters", transport.Options{}, []string{"https://a\n\x1b[31m\u202eb.example"}, "", "",
			originLine{Origin: `https://a\n\x1b[31m\u202eb.example`, Expected: "http://plans.example, https://plans.example",
				Error: notAllowed + ": the Origin is not scheme://host[:port]"}},
		{"long", transport.Options{}, []string{"https://" + strings.Repeat("a", 10_000)}, "", "",
			originLine{Origin: "https://" + strings.Repeat("a", 192) + "…", Expected: "http://plans.example, https://plans.example", Error: notAllowed}},
		{"query and user", transport.Options{}, []string{"https://me:CANARY@a.example/?token=CANARY"}, "", "",
			originLine{Origin: "…@a.example/…", Expected: "http://plans.example, https://plans.example",
				Error: notAllowed + ": the Origin is not scheme://host[:port]"}},
		{"token in the origin", transport.Options{}, []string{"https://a.example/eyCANARYbody"}, "", "?token=" + jwt,
			originLine{Origin: "(contains the token)", Expected: "http://plans.example, https://plans.example",
				Error: notAllowed + ": the Origin is not scheme://host[:port]"}},
		{"panic", transport.Options{AllowOrigin: func(*http.Request, *url.URL) bool { panic("oops") }}, []string{"https://a.example"}, "", "",
			originLine{Level: "ERROR", Msg: "transport: Options.AllowOrigin panicked", Origin: "https://a.example", Expected: "what Options.AllowOrigin accepts"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var log lockedBuffer
			options := c.options
			options.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			r := httptest.NewRequest(http.MethodGet, "/ws"+c.query, nil)
			r.Host = "plans.example"
			r.Header["Origin"] = c.origins
			if c.cookie != "" {
				r.Header.Set("Cookie", c.cookie)
			}
			w := httptest.NewRecorder()
			transport.NewHandler(newHub(t), verifier, &options).ServeHTTP(w, r)
			if w.Code != http.StatusForbidden {
				t.Errorf("status %d, want 403", w.Code)
			}
			if strings.Contains(log.String(), "CANARY") {
				t.Errorf("the log contains a secret:\n%s", log.String())
			}
			want := c.want
			want.Remote = r.RemoteAddr
			if want.Level == "" {
				want.Level, want.Msg = "INFO", "transport: origin refused"
			}
			got := originLines(t, log.String())
			if len(got) == 1 && want.Level == "ERROR" {
				if !strings.HasPrefix(got[0].Error, notAllowed+": AllowOrigin: ") {
					t.Errorf("error %q does not mention the panic", got[0].Error)
				}
				got[0].Error = ""
			}
			if diff := cmp.Diff([]originLine{want}, got); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestOriginLogIsLimited refuses many origins at once. The log must have 10 lines a minute, and the
// next line must have the number of suppressed lines.
func TestOriginLogIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		h := transport.NewHandler(newHub(t), verifier, &transport.Options{
			AllowOrigin: func(_ *http.Request, origin *url.URL) bool {
				if origin.Hostname() == "panic.example" {
					panic("oops")
				}
				return false
			},
			Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		})
		refuse := func(n int, origin string) {
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() {
					r := httptest.NewRequest(http.MethodGet, "/ws", nil)
					r.Header.Set("Origin", origin)
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					if w.Code != http.StatusForbidden {
						t.Errorf("status %d, want 403", w.Code)
					}
				})
			}
			wg.Wait()
		}
		logged := func(level string) (lines, suppressed int) {
			for _, line := range originLines(t, log.String()) {
				if line.Level == level {
					lines++
					suppressed += line.Suppressed
				}
			}
			return lines, suppressed
		}
		check := func(level string, wantLines, wantSuppressed int) {
			t.Helper()
			if lines, suppressed := logged(level); lines != wantLines || suppressed != wantSuppressed {
				t.Errorf("%d lines of level %s, %d suppressed, want %d and %d", lines, level, suppressed, wantLines, wantSuppressed)
			}
		}
		refuse(50, "https://evil.example")
		check("INFO", 10, 0)
		time.Sleep(time.Minute - 1)
		refuse(5, "https://evil.example")
		check("INFO", 10, 0)
		refuse(1, "https://panic.example") // has a separate limit
		check("ERROR", 1, 0)
		time.Sleep(time.Nanosecond)
		refuse(1, "https://evil.example")
		check("INFO", 11, 45)
		refuse(20, "https://evil.example")
		time.Sleep(time.Hour)
		refuse(2, "https://evil.example")
		check("INFO", 22, 45+11)
		check("ERROR", 1, 0)
	})
}
