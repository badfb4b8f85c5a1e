package browser_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"

	"github.com/planrooms/planrooms/transport/browser"
)

func get(t *testing.T, path string, headers map[string]string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	browser.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	want, err := os.ReadFile("planrooms.js")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, accept, encoding string
	}{
		{"no header", "", ""},
		{"gzip", "gzip, deflate, br", "gzip"},
		{"gzip with a weight", "br;q=1.0, GZIP ; q=0.5", "gzip"},
		{"gzip refused", "gzip;q=0, br", ""},
		{"gzip refused at length", "gzip;q=0.000", ""},
		{"something else", "br, x-gzip-not", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := get(t, "/planrooms/planrooms.js", map[string]string{"Accept-Encoding": tt.accept})
			if got := res.Header.Get("Content-Encoding"); res.StatusCode != http.StatusOK || got != tt.encoding {
				t.Fatalf("Accept-Encoding %q: status %d, Content-Encoding %q, want 200, %q", tt.accept, res.StatusCode, got, tt.encoding)
			}
			if got := res.Header.Get("Content-Type"); got != "text/javascript; charset=utf-8" {
				t.Errorf("Content-Type = %q", got)
			}
			body := io.Reader(res.Body)
			if tt.encoding == "gzip" {
				if body, err = gzip.NewReader(res.Body); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, want) {
				t.Errorf("the body is not planrooms.js (%v)", err)
			}

			tag := res.Header.Get("ETag")
			again := get(t, "/planrooms/planrooms.js", map[string]string{"Accept-Encoding": tt.accept, "If-None-Match": tag})
			if tag == "" || again.StatusCode != http.StatusNotModified {
				t.Errorf("with If-None-Match %s: status %d, want 304", tag, again.StatusCode)
			}
		})
	}
	zipped := get(t, "/planrooms.js", map[string]string{"Accept-Encoding": "gzip"}).Header.Get("ETag")
	if plain := get(t, "/planrooms.js", nil).Header.Get("ETag"); plain == zipped {
		t.Errorf("both forms have the ETag %s", plain)
	}
}

func TestHandlerRefuses(t *testing.T) {
	for _, path := range []string{"/planrooms/", "/planrooms/browser.go", "/planrooms/package.json", "/planrooms/nothing.js", "/"} {
		if res := get(t, path, nil); res.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: status %d, want 404", path, res.StatusCode)
		}
	}
	w := httptest.NewRecorder()
	browser.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/planrooms/planrooms.js", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

// The handler serves each module that another one imports by a path.
func TestImportsAreServed(t *testing.T) {
	imports := regexp.MustCompile(`(?m)^import .* from '\./([^']+)'`)
	seen := map[string]bool{}
	var follow func(name string)
	follow = func(name string) {
		if seen[name] {
			return
		}
		seen[name] = true
		res := get(t, "/planrooms/"+name, nil)
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d, %v", name, res.StatusCode, err)
		}
		for _, m := range imports.FindAllSubmatch(b, -1) {
			follow(string(m[1]))
		}
	}
	follow("planrooms.js")
	follow("react.js")
	follow("patch.js")
	follow("position.js")
	if len(seen) < 6 {
		t.Errorf("saw %d modules", len(seen))
	}
}
