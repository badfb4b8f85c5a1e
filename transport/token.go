package transport

import (
	"encoding/base64"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

var errTokenForm = errors.New("transport: token cannot be read")

// maxEncodedToken is the maximum length in bytes of a token encoded as a subprotocol.
var maxEncodedToken = base64.RawURLEncoding.EncodedLen(protocol.MaxTokenBytes)

// Packages protocol and auth import nothing of this module, so each has the limit of a token. This
// does not compile if they differ.
var _ = [1]struct{}{}[protocol.MaxTokenBytes-auth.MaxTokenBytes]

// tokenSource is the part of the request that holds the token.
type tokenSource int

const (
	fromNowhere tokenSource = iota
	fromHeader
	fromSubprotocol
	fromQuery
	fromCookie
)

// credentials are the unverified token of a request.
type credentials struct {
	source tokenSource
	token  string
	// set if the token is missing or unusable; refusals in status.go lists these errors
	err error
}

// findCredentials takes the token from the first of Authorization, subprotocol, query and cookie
// that is present, even if it is empty or malformed. With the token of the next one, the server
// could serve the request as another user than it claims.
func findCredentials(r *http.Request, query url.Values, cookieName string) credentials {
	if values := r.Header.Values("Authorization"); len(values) > 0 {
		token, bearer := bearerToken(values[0])
		switch {
		case len(values) > 1:
			return credentials{source: fromHeader, err: errTokenForm}
		case bearer:
			return found(fromHeader, token)
		}
		// Another scheme is meant for another server, such as a proxy in front.
	}
	if c, ok := subprotocolToken(subprotocols(r)); ok {
		return c
	}
	if values := query["token"]; len(values) == 1 {
		return found(fromQuery, values[0])
	} else if len(values) > 1 {
		return credentials{source: fromQuery, err: errTokenForm}
	}
	if cookieName != "" {
		switch cookies := r.CookiesNamed(cookieName); len(cookies) {
		case 0:
		case 1:
			return found(fromCookie, cookies[0].Value)
		default:
			return credentials{source: fromCookie, err: errTokenForm}
		}
	}
	return credentials{err: auth.ErrNoToken}
}

// found returns the credentials for a token, which may be empty or too long.
func found(source tokenSource, token string) credentials {
	c := credentials{source: source}
	switch {
	case token == "":
		c.err = auth.ErrNoToken
	case len(token) > protocol.MaxTokenBytes:
		c.err = errTokenForm
	default:
		c.token = token
	}
	return c
}

// bearerToken returns the token of an Authorization header, and reports whether the scheme is
// Bearer. Scheme names are case-insensitive (RFC 9110 section 11.1).
func bearerToken(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	return strings.Trim(token, " "), strings.EqualFold(scheme, "Bearer")
}

// subprotocolToken finds a token among the offered subprotocols, the only header of a handshake
// that a page can set. The client must also offer the real subprotocol, since the server has to
// choose one of them and must not send the token back.
func subprotocolToken(offered []string) (credentials, bool) {
	c := credentials{source: fromSubprotocol}
	n := 0
	for _, p := range offered {
		encoded, ok := strings.CutPrefix(p, protocol.TokenSubprotocolPrefix)
		if !ok {
			continue
		}
		n++
		if len(encoded) > maxEncodedToken {
			c.err = errTokenForm
			continue
		}
		token, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
		if err != nil {
			c.err = errTokenForm
			continue
		}
		c = found(fromSubprotocol, string(token))
	}
	switch {
	case n == 0:
		return credentials{}, false
	case n > 1:
		c = credentials{source: fromSubprotocol, err: errTokenForm}
	}
	return c, true
}

// subprotocols returns the subprotocols that a request offers.
func subprotocols(r *http.Request) []string {
	return slices.Collect(headerTokens(r.Header, "Sec-Websocket-Protocol"))
}

// headerTokens returns the elements of a comma-separated header. name is in canonical form.
func headerTokens(h http.Header, name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, v := range h[name] {
			for t := range strings.SplitSeq(v, ",") {
				if t = strings.Trim(t, " \t"); t != "" && !yield(t) {
					return
				}
			}
		}
	}
}
