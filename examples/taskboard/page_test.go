package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestServe(t *testing.T) {
	t.Parallel()
	handler, err := serve(fstest.MapFS{
		"index.html":          {Data: []byte("page")},
		"favicon.svg":         {Data: []byte("icon")},
		"assets/app-1a2b.js":  {Data: []byte("script")},
		"assets/app-1a2b.css": {Data: []byte("style")},
	})
	if err != nil {
		t.Fatal(err)
	}
	const forever = "public, max-age=31536000, immutable"
	for _, c := range []struct {
		method, path        string
		status              int
		body, kind, caching string
	}{
		{"GET", "/", 200, "page", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/index.html", 200, "page", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/plans/7", 200, "page", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/assets", 200, "page", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/../main.go", 200, "page", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/favicon.svg", 200, "icon", "image/svg+xml", "no-cache"},
		{"GET", "/assets/app-1a2b.js", 200, "script", "text/javascript; charset=utf-8", forever},
		{"GET", "/assets/app-1a2b.css", 200, "style", "text/css; charset=utf-8", forever},
		{"GET", "/assets/app-old.js", 404, "404 page not found\n", "text/plain; charset=utf-8", ""},
		{"POST", "/", 405, `{"error":"Only GET is allowed here.","code":"method_not_allowed"}`, "application/json", "no-store"},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s: status %d %q, want %d %q", c.method, c.path, w.Code, w.Body, c.status, c.body)
		}
		if kind, caching := w.Header().Get("Content-Type"), w.Header().Get("Cache-Control"); kind != c.kind || caching != c.caching {
			t.Errorf("%s %s: Content-Type %q, Cache-Control %q, want %q, %q", c.method, c.path, kind, caching, c.kind, c.caching)
		}
	}
}

// A file of the build in Brotli is sent to clients that accept it, and not under its own name.
func TestBrotli(t *testing.T) {
	t.Parallel()
	handler, err := serve(fstest.MapFS{
		"index.html":           {Data: []byte("page")},
		"assets/app-1a2.js":    {Data: []byte(strings.Repeat("script", 100))},
		"assets/app-1a2.js.br": {Data: []byte("in Brotli")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for accepted, want := range map[string]string{
		"gzip, deflate, br, zstd": "br", "BR": "br", "*": "br",
		"gzip, br;q=0": "gzip", "gzip": "gzip", "": "", "br;q=0": "",
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/assets/app-1a2.js", nil)
		r.Header.Set("Accept-Encoding", accepted)
		handler.ServeHTTP(w, r)
		h := w.Header()
		if h.Get("Content-Encoding") != want || (w.Body.String() == "in Brotli") != (want == "br") {
			t.Errorf("Accept-Encoding %q: headers %v, want Content-Encoding %q", accepted, h, want)
		}
		if h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Type") != contentTypes[".js"] {
			t.Errorf("Accept-Encoding %q: headers %v", accepted, h)
		}
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/assets/app-1a2.js.br", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("the file in Brotli has a name: status %d", w.Code)
	}
}

// Scripts and styles are sent compressed to clients that accept it, each encoding with its own
// ETag.
func TestCompression(t *testing.T) {
	t.Parallel()
	script := strings.Repeat("console.log('plan');", 100)
	handler, err := serve(fstest.MapFS{
		"index.html":        {Data: []byte(strings.Repeat("<p>page</p>", 50))},
		"tiny.svg":          {Data: []byte("icon")},
		"assets/app-1a2.js": {Data: []byte(script)},
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", path, nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for accepted, zipped := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "deflate, GZIP": true, "*": true,
		"gzip;q=0": false, "gzip; q=0.0, *": false, "identity": false, "*;q=0": false, "gzip;q=x": false,
	} {
		w := get("/assets/app-1a2.js", "Accept-Encoding", accepted)
		h := w.Header()
		if got := h.Get("Content-Encoding") == "gzip"; got != zipped || h.Get("Vary") != "Accept-Encoding" || h.Get("ETag") == "" {
			t.Errorf("Accept-Encoding %q: headers %v, want gzip %v", accepted, h, zipped)
		}
		body := w.Body.String()
		if zipped {
			r, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if body != script || h.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("Accept-Encoding %q: %d bytes of %s", accepted, len(body), h.Get("Content-Type"))
		}
	}
	if w := get("/tiny.svg", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Body.String() != "icon" {
		t.Errorf("a file that gzip makes longer: headers %v", w.Header())
	}

	plain, zipped := get("/").Header().Get("ETag"), get("/", "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == zipped {
		t.Errorf("both encodings have the ETag %s", plain)
	}
	for _, c := range []struct {
		etag, accepted string
		status         int
	}{
		{zipped, "gzip", 304}, {plain, "", 304}, {zipped, "", 200}, {plain, "gzip", 200},
	} {
		if w := get("/", "If-None-Match", c.etag, "Accept-Encoding", c.accepted); w.Code != c.status {
			t.Errorf("If-None-Match %s, Accept-Encoding %q: status %d, want %d", c.etag, c.accepted, w.Code, c.status)
		}
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, path := range []string{"/", "/anything"} {
		resp := b.must(http.StatusOK, nil, "GET", path, nil, "")
		policy := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("GET %s: policy %q", path, policy)
		}
		if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("GET %s: X-Content-Type-Options %q", path, got)
		}
	}
}

// The program sends the licences of the packages that the scripts of the page contain.
func TestPageHasLicences(t *testing.T) {
	t.Parallel()
	var manifest struct{ Dependencies map[string]string }
	text, err := os.ReadFile("web/package.json")
	if err == nil {
		err = json.Unmarshal(text, &manifest)
	}
	if err != nil || len(manifest.Dependencies) < 3 {
		t.Fatalf("web/package.json: %v, dependencies %q", err, manifest.Dependencies)
	}
	w := httptest.NewRecorder()
	page().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/licenses.txt", nil))
	if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	for name := range manifest.Dependencies {
		if name != "planrooms" && !strings.Contains(w.Body.String(), "\n## "+name+" - ") {
			t.Errorf("no licence of %s", name)
		}
	}
}

// The page obeys the policy that it is sent with, which a browser alone would notice.
func TestPageHasNothingInline(t *testing.T) {
	t.Parallel()
	html, err := fs.ReadFile(dist, "web/dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, inline := range []string{"<style", "style=", "<script>", " onclick=", "javascript:"} {
		if strings.Contains(string(html), inline) {
			t.Errorf("index.html has %s in it", inline)
		}
	}
}
