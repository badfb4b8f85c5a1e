package transport

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// HideToken returns a handler that keeps the token of ?token= out of the logs of next. Clients that
// can set neither a header nor a subprotocol send their token in the URL, and middleware that logs
// requests logs the URL. Wrap all of that middleware in HideToken:
//
//	srv := &http.Server{Handler: transport.HideToken(accessLog(mux))}
//
// HideToken changes only WebSocket handshakes: requests with Upgrade: websocket, or with a
// Sec-WebSocket-Key or Sec-WebSocket-Version header. next gets a copy of such a request. Its URL,
// RequestURI, Form and Referer do not contain the token. The token is in a context value, from
// which the handler of [NewHandler] restores the URL for itself, Options.Authenticate and
// Options.AllowOrigin. [http.Request.Clone] and contexts derived from that of the request keep the
// value.
//
// All other requests pass unchanged. A route of the host that reads ?token= still works, and its
// logs still contain that token.
//
// A WebSocket handler of another library inside next, or a reverse proxy, does not find the token
// in the query of a handshake: mount it outside HideToken. HideToken has no effect on logs that are
// written before it, such as those of a proxy in front of the server.
//
// It panics if next is nil.
func HideToken(next http.Handler) http.Handler {
	if next == nil {
		panic("transport: HideToken: next is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, hideToken(r))
	})
}

// hiddenToken is the key of a context value of type func() string, which returns the hidden part of
// the query. The value is a function because code that prints a context cannot print what a
// function returns.
type hiddenToken struct{}

// hideToken returns r, or a copy of r without the token in its URL.
func hideToken(r *http.Request) *http.Request {
	if !isHandshake(r) {
		return r
	}
	query, hidden := cutToken(r.URL.RawQuery)
	if hidden != "" {
		r = r.WithContext(context.WithValue(r.Context(), hiddenToken{}, func() string { return hidden }))
		r.URL = withQuery(r.URL, query)
		r.RequestURI = withoutQueryToken(r.RequestURI)
		r.Form = nil // parsed again from the URL when it is needed
	}
	if slices.ContainsFunc(r.Header["Referer"], hasQueryToken) {
		r = r.WithContext(r.Context())
		r.Header = r.Header.Clone()
		for i, referer := range r.Header["Referer"] {
			r.Header["Referer"][i] = withoutQueryToken(referer)
		}
	}
	return r
}

// showToken undoes hideToken for the handler of NewHandler. It returns r, or a copy of it.
func showToken(r *http.Request) *http.Request {
	hidden, ok := r.Context().Value(hiddenToken{}).(func() string)
	if !ok {
		return r
	}
	r = r.WithContext(r.Context())
	r.URL = withQuery(r.URL, strings.TrimPrefix(r.URL.RawQuery+"&"+hidden(), "&"))
	r.Form = nil // parsed again from the URL when it is needed
	return r
}

// isHandshake reports whether a request looks like a WebSocket handshake. Proxies that are not
// configured for WebSockets drop Upgrade, which is hop-by-hop, and keep the other headers.
func isHandshake(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket") ||
		len(r.Header["Sec-Websocket-Key"]) > 0 || len(r.Header["Sec-Websocket-Version"]) > 0
}

// cutToken splits a raw query into the part that may be logged and the part that may hold a token.
func cutToken(query string) (rest, hidden string) {
	pairs := strings.Split(query, "&")
	isToken := func(pair string) bool {
		// url.ParseQuery rejects a pair with a semicolon, but the pair may still hold a token. So
		// may a pair with a question mark, if a client has added "?token=" to a URL that had a
		// query.
		return slices.ContainsFunc(strings.FieldsFunc(pair, isSeparator), func(p string) bool {
			key, _, _ := strings.Cut(p, "=")
			if unescaped, err := url.QueryUnescape(key); err == nil {
				key = unescaped
			}
			return strings.EqualFold(key, "token")
		})
	}
	tokens := slices.DeleteFunc(slices.Clone(pairs), func(p string) bool { return !isToken(p) })
	return strings.Join(slices.DeleteFunc(pairs, isToken), "&"), strings.Join(tokens, "&")
}

func isSeparator(r rune) bool { return r == ';' || r == '?' }

// withQuery returns a copy of u with another query.
func withQuery(u *url.URL, query string) *url.URL {
	c := *u
	c.RawQuery = query
	return &c
}

// hasQueryToken reports whether the query of a URL holds a token.
func hasQueryToken(target string) bool { return withoutQueryToken(target) != target }

// withoutQueryToken returns a URL or request target without the token in its query.
func withoutQueryToken(target string) string {
	before, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	query, hidden := cutToken(query)
	switch {
	case hidden == "":
		return target
	case query == "":
		return before
	}
	return before + "?" + query
}
