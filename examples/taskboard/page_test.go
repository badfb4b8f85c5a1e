package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestServe(t *testing.T) {
	t.Parallel()
	handler := serve(fstest.MapFS{
		"index.html":          {Data: []byte("page")},
		"favicon.svg":         {Data: []byte("icon")},
		"assets/app-1a2b.js":  {Data: []byte("script")},
		"assets/app-1a2b.css": {Data: []byte("style")},
	})
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
