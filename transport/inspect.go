package transport

import (
	"embed"
	"encoding/json"
	"net/http"
	"path"
	"strings"

	"github.com/planrooms/planrooms/room"
)

// The operators' page: plain files, which need no build.
//
//go:embed inspect
var inspectFiles embed.FS

// inspectPolicy lets the page load its own files and nothing else, and forbids other pages to embed
// it.
const inspectPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// inspectTypes has the content types, by the extension of the file. They do not depend on what the
// machine is configured with.
var inspectTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// Inspect returns a handler for operators: a page that shows the rooms of hub, the users in them,
// slow readers, refusals and closes as they are now, and answers why a user did not receive an
// event. It shows no payloads, presence states or tokens.
//
// Mount it at one path of your choice, with GET: the page needs no other. It also works under a
// prefix and behind a proxy, since all its URLs are relative. allow decides about each request. It
// is called concurrently, and with the request as it came, so it can check a cookie or a header. A
// request that it refuses gets 404 without content, as if nothing were there. Plan IDs and user IDs
// may be secrets within a company, too: allow only operators who may see all of them.
//
// A request gets the page if it accepts text/html, as a browser does when it opens a URL, and JSON
// otherwise. ?format=json and ?format=html decide independently of that. The JSON has stats
// ([room.Stats]), rooms (each a [room.Summary]), total and matching: how many rooms there are, and
// how many of them fit the search. Parameters:
//
//	search  part of a plan ID; upper and lower case are the same
//	sort    plan (the default), activity, people, connections, lagging or history; all but plan
//	        put the largest or latest first
//	limit   how many rooms, and people of a room, to return: 1 to 1,000; the default is 100
//	plan    adds room, if there is one: that [room.Summary] with people and laggingConnections
//	person  part of the user ID or name of these people
//	user, seq  with plan: adds explanation, a [room.Explanation] with at most 100 connections
//
// It answers GET and HEAD. A parameter that is not valid gets 400. Inspect panics if hub or allow
// is nil. After [room.Hub.Shutdown] began it shows how many connections are left.
func Inspect(hub *room.Hub, allow func(*http.Request) bool) http.Handler {
	switch {
	case hub == nil:
		panic("transport: Inspect: hub is nil")
	case allow == nil:
		panic("transport: Inspect: allow is nil: say who may see all plans and users")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		if !allow(r) {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		h.Set("Content-Security-Policy", inspectPolicy)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Vary", "Accept")
		h.Set("X-Content-Type-Options", "nosniff")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, "method not allowed")
			return
		}
		query := r.URL.Query()
		file := query.Get("file")
		switch format := query.Get("format"); {
		case file != "":
		case format == "html", format == "" && strings.Contains(r.Header.Get("Accept"), "text/html"):
			file = "index.html"
		case format == "json", format == "":
			inspect(w, hub, query)
			return
		default:
			answer(w, http.StatusBadRequest, "format is not json or html")
			return
		}
		serveInspectFile(w, file)
	})
}

// serveInspectFile answers with a file of the page.
func serveInspectFile(w http.ResponseWriter, name string) {
	body, err := inspectFiles.ReadFile("inspect/" + name)
	contentType := inspectTypes[path.Ext(name)]
	if err != nil || contentType == "" || strings.Contains(name, "/") {
		answer(w, http.StatusNotFound, "no such file")
		return
	}
	w.Header().Set("Content-Type", contentType)
	_, _ = w.Write(body) // fails if the client has disconnected
}

// inspect answers with JSON.
func inspect(w http.ResponseWriter, hub *room.Hub, query map[string][]string) {
	view, err := inspectionOf(hub, query)
	if err != nil {
		answer(w, http.StatusBadRequest, err.Error())
		return
	}
	body, err := json.Marshal(view)
	if err != nil {
		answer(w, http.StatusInternalServerError, "internal error")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}
