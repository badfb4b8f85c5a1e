package main

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// The page as `npm run build` in web leaves it. It is committed, so that the program builds with Go alone.
//
//go:embed all:web/dist
var dist embed.FS

// contentTypes are said outright: the default is up to the machine, and a browser runs no module of a wrong type.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// page serves the files of the page, and the page itself at every other path: which view it shows there is its own business.
func page() http.Handler {
	root, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic(err) // unreachable: the directory is embedded
	}
	return serve(root)
}

func serve(root fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "method_not_allowed", "Only GET is allowed here.")
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		asset := strings.HasPrefix(name, "assets/")
		if info, err := fs.Stat(root, name); err != nil || info.IsDir() {
			if asset { // of an earlier build: a script that is a page would only confuse
				http.NotFound(w, r)
				return
			}
			name = "index.html"
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if kind, ok := contentTypes[path.Ext(name)]; ok {
			h.Set("Content-Type", kind)
		}
		if asset { // its name has a hash of what is in it
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		_, _ = w.Write(body) // whoever asked has gone
	})
}
