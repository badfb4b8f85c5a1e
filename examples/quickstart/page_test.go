package main

import (
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	s := start(t)
	types := map[string]string{
		"/": "text/html", "/app.js": "text/javascript", "/planrooms/planrooms.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml",
	}
	for path, want := range types {
		resp := s.do("GET", path, "", "")
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), want) {
			t.Errorf("GET %s: status %d, type %q", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
		csp := resp.Header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: policy %q", path, csp)
		}
		if got := resp.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("GET %s: X-Content-Type-Options %q", path, got)
		}
	}
	for _, path := range []string{"/nope", "/page/app.js", "/main.go", "/../main.go"} {
		if resp := s.do("GET", path, "", ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s: status %d", path, resp.StatusCode)
		}
	}
}

// The server has every file that the page asks for, and no script turns text into markup.
func TestPageIsWhole(t *testing.T) {
	wanted := regexp.MustCompile(`(?:from |src=|href=)['"](?:\./)?([^'"]+)['"]`)
	markup := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b`)
	foreign := regexp.MustCompile(`https?://[a-z]`)
	served := map[string]bool{"api/rooms": true, ".well-known/jwks.json": true, "/planrooms/planrooms.js": true}
	names, err := fs.Glob(files, "page/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		served[strings.TrimPrefix(name, "page/")] = true
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range wanted.FindAllSubmatch(text, -1) {
			if !served[string(m[1])] {
				t.Errorf("%s asks for %s", name, m[1])
			}
		}
		if m := markup.Find(text); m != nil {
			t.Errorf("%s uses %s", name, m)
		}
		// The namespace of SVG is a URL.
		if !strings.HasSuffix(name, ".svg") && foreign.Match(text) {
			t.Errorf("%s names another host: %s", name, foreign.Find(text))
		}
	}
}
