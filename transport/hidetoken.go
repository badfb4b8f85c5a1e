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
// requests writes the URL down. Put HideToken around all of it:
//
//	srv := &http.Server{Handler: transport.HideToken(accessLog(mux))}
//
// It changes WebSocket handshakes alone: requests with Upgrade: websocket or a Sec-WebSocket-Key or
// Sec-WebSocket-Version header. next gets a copy of such a request without the token in its URL,
// RequestURI, Form and Referer, and with a value in its context from which the handler of
// [NewHandler] takes the token, and shows it to Options.Authenticate and Options.AllowOrigin in the
// URL. The value survives [http.Request.Clone] and contexts derived from that of the request. All
// other requests pass unchanged, so a route of the host that reads ?token= goes on to work, and its
// logs go on to have that token.
//
// A WebSocket handler of another library, or a reverse proxy, inside next does not find a token in
// the query of a handshake: mount it outside HideToken. Nor can HideToken reach logs that are
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
// the query. A function has no content that code which prints or dumps a context could show.
type hiddenToken struct{}

// hideToken returns r, or a copy of it without the token that its URL holds.
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

// isHandshake reports whether a request is meant as a WebSocket handshake. Proxies that are not set
// up for WebSockets drop Upgrade, which is hop-by-hop, and leave the other headers.
func isHandshake(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket") ||
		len(r.Header["Sec-Websocket-Key"]) > 0 || len(r.Header["Sec-Websocket-Version"]) > 0
}

// cutToken divides a raw query into what may be logged and what may hold a token.
func cutToken(query string) (rest, hidden string) {
	pairs := strings.Split(query, "&")
	isToken := func(pair string) bool {
		// url.ParseQuery refuses a pair with a semicolon, but it may still hold a token. So may one
		// with a question mark, where a client has added "?token=" to a URL that had a query.
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

// hasQueryToken reports whether withoutQueryToken changes a URL.
func hasQueryToken(target string) bool { return withoutQueryToken(target) != target }

// withoutQueryToken returns a URL or a request target without the token in its query.
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
