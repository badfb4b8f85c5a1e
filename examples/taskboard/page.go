package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// The page as `npm run build` in web writes it. It is committed, so that the program builds with Go
// alone.
//
//go:embed all:web/dist
var dist embed.FS

// contentTypes are fixed here. The defaults depend on the machine, and a browser refuses a module
// with a wrong type.
var contentTypes = map[string]string{
	".css":         "text/css; charset=utf-8",
	".html":        "text/html; charset=utf-8",
	".ico":         "image/x-icon",
	".js":          "text/javascript; charset=utf-8",
	".json":        "application/json",
	".map":         "application/json",
	".png":         "image/png",
	".svg":         "image/svg+xml",
	".txt":         "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json",
	".woff2":       "font/woff2",
}

// page serves the files of the page, and the page itself at every other path: the script there
// decides which view it shows.
func page() http.Handler {
	root, err := fs.Sub(dist, "web/dist")
	if err == nil {
		var handler http.Handler
		if handler, err = serve(root); err == nil {
			return handler
		}
	}
	panic(err) // unreachable: the directory is embedded
}

// file is a file of the page in the encodings that it is served in.
type file struct {
	plain, zipped version
	brotli        version // by the build, which writes it beside the file
	kind          string  // the content type
	caching       string  // the value of Cache-Control
}

// version is a file in one encoding. Its body is nil if it is not served in this encoding.
type version struct {
	body []byte
	etag string
}

func newVersion(body []byte) version {
	sum := sha256.Sum256(body)
	return version{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

const brotliExt = ".br"

// load reads all files of root and compresses them once.
func load(root fs.FS) (map[string]*file, error) {
	files := make(map[string]*file)
	return files, fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path.Ext(name) == brotliExt {
			return err
		}
		body, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f := &file{plain: newVersion(body), kind: contentTypes[path.Ext(name)], caching: "no-cache"}
		if strings.HasPrefix(name, "assets/") { // the name contains a hash of the content
			f.caching = "public, max-age=31536000, immutable"
		}
		if zipped := compress(body); len(zipped) < len(body) {
			f.zipped = newVersion(zipped)
		}
		switch body, err := fs.ReadFile(root, name+brotliExt); {
		case err == nil:
			f.brotli = newVersion(body)
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		files[name] = f
		return nil
	})
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(body)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // unreachable: the level is valid and a bytes.Buffer takes every write
	}
	return b.Bytes()
}

// serve returns a handler for the files of root, which it reads now.
func serve(root fs.FS) (http.Handler, error) {
	files, err := load(root)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			writeError(w, http.StatusMethodNotAllowed, "method_not_allowed", "Only GET is allowed here.")
			return
		}
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		f := files[name]
		if f == nil && !strings.HasPrefix(name, "assets/") {
			f = files["index.html"]
		}
		if f == nil { // a script of an earlier build: the page in its place would not run
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if f.kind != "" {
			h.Set("Content-Type", f.kind)
		}
		h.Set("Cache-Control", f.caching)
		body := f.plain
		if f.zipped.body != nil || f.brotli.body != nil {
			h.Set("Vary", "Accept-Encoding")
			switch {
			case f.brotli.body != nil && accepts(r, "br"):
				h.Set("Content-Encoding", "br")
				body = f.brotli
			case f.zipped.body != nil && accepts(r, "gzip"):
				h.Set("Content-Encoding", "gzip")
				body = f.zipped
			}
		}
		h.Set("ETag", body.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body.body))
	}), nil
}

// accepts reports whether the client accepts a content coding (RFC 9110, section 12.5.3).
func accepts(r *http.Request, coding string) bool {
	accepted := map[string]bool{}
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameter, _ := strings.Cut(part, ";")
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(parameter)), "q="); ok {
			quality, _ = strconv.ParseFloat(strings.TrimSpace(q), 64)
		}
		accepted[strings.ToLower(strings.TrimSpace(name))] = quality > 0
	}
	if yes, named := accepted[coding]; named {
		return yes
	}
	return accepted["*"]
}
