// Package browser serves the browser client of Plan rooms: ES modules that a page loads as they
// are, without an installation or a build.
//
//	mux.Handle("GET /planrooms/", browser.Handler())
//
//	<script type="module">
//	import { Client } from "/planrooms/planrooms.js"
//	const client = new Client({ getToken })
//	const plan = client.join("demo", { load, onEvent })
//	</script>
//
// planrooms.js is the client. react.js has the hook usePlanWebSocket; it imports "react" by that
// name, so a page that loads it from here needs an import map. The same folder is the npm package
// planrooms, with planrooms/react and type declarations, for programs with a bundler.
package browser

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:generate go run ./gen
//go:generate npm run types

//go:embed planrooms.js connection.js heartbeat.js outbox.js people.js plan.js presence.js
//go:embed subscription.js timing.js token.js patch.js position.js queries.js react.js
var modules embed.FS

// Handler serves the modules by the last element of the path: /planrooms/planrooms.js wherever the
// handler is mounted. It compresses them for clients that accept gzip. A browser caches a module
// and revalidates it by its ETag on each use, so a page never runs the client of another version of
// the server. Methods other than GET and HEAD get 405.
func Handler() http.Handler {
	files := make(map[string]module)
	entries, err := fs.ReadDir(modules, ".")
	if err != nil {
		panic(err) // it is part of the program
	}
	for _, e := range entries {
		b, err := modules.ReadFile(e.Name())
		if err != nil {
			panic(err)
		}
		files[e.Name()] = newModule(b)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, ok := files[path.Base(r.URL.Path)]
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		case !ok:
			http.NotFound(w, r)
		default:
			m.serve(w, r)
		}
	})
}

// A module is a file, plain and compressed. Each form has an ETag, as RFC 9110 section 8.8.3.3
// requires.
type module struct {
	plain, zipped       []byte
	plainTag, zippedTag string
}

func newModule(b []byte) module {
	sum := sha256.Sum256(b)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is valid
	}
	_, _ = z.Write(b) // a bytes.Buffer takes everything
	_ = z.Close()
	return module{plain: b, zipped: zipped.Bytes(), plainTag: `"` + tag + `"`, zippedTag: `"` + tag + `-gzip"`}
}

func (m module) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	body := m.plain
	h.Set("ETag", m.plainTag)
	if takesGzip(r.Header.Values("Accept-Encoding")) {
		body = m.zipped
		h.Set("ETag", m.zippedTag)
		h.Set("Content-Encoding", "gzip")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// takesGzip reports whether a client names gzip without refusing it (RFC 9110 section 12.5.3).
func takesGzip(headers []string) bool {
	for _, coding := range strings.Split(strings.Join(headers, ","), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(weight, " ", "")
			return strings.Trim(strings.TrimPrefix(strings.ToLower(weight), "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
