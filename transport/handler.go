package transport

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

var errClientID = errors.New("transport: malformed client id")

// handler serves WebSocket connections. [NewHandler] returns it.
type handler struct {
	// Fixed at creation.
	hub      *room.Hub
	verifier auth.Verifier
	opts     Options
	origins  origins

	shared   shared
	goodbyes semaphore

	refusedOrigins logLimit
	originPanics   logLimit
	unverified     logLimit
	failedUpgrades logLimit
	discarded      logLimit
	unavailable    logLimit // verifications that returned auth.UnavailableError
}

// NewHandler returns a handler that connects WebSocket clients to hub. v verifies the token of each
// request and of each later authenticate message. v may be nil if opts has Authenticate;
// authenticate messages are then refused. If opts is nil, the defaults apply. NewHandler panics if
// hub is nil, if v and Authenticate are both nil, or with the error of [Options.Validate].
//
// A connection outlives its request. ServeHTTP returns once the hub has the connection, so
// middleware sees only the upgrade. [room.Hub.Shutdown] ends the connections;
// [http.Server.Shutdown] does not know them. The connection does not use the request's context or
// its values after ServeHTTP has returned.
//
// Set ReadHeaderTimeout on the server. Otherwise clients can hold connections by sending headers
// slowly.
func NewHandler(hub *room.Hub, v auth.Verifier, opts *Options) http.Handler {
	o := opts.withDefaults()
	switch {
	case hub == nil:
		panic("transport: NewHandler: hub is nil")
	case v == nil && o.Authenticate == nil:
		panic("transport: NewHandler: Verifier and Options.Authenticate are both nil")
	}
	h := &handler{hub: hub, verifier: v, opts: o, origins: newOrigins(&o)}
	h.opts.AllowedOrigins = nil // do not keep the caller's slice
	h.shared.log = o.Logger
	h.shared.connections.max = int64(o.MaxConnections)
	h.goodbyes.max = maxGoodbyes
	return h
}

// attempt is a request that may become a connection. The handler's goroutine owns it.
type attempt struct {
	w      http.ResponseWriter
	r      *http.Request
	token  string // never logged
	userID string // set once the token is verified
	conn   *conn  // set once the connection is hijacked; w must not be used then
}

// ServeHTTP turns one request into a connection. The package comment lists the steps.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = showToken(r)
	a := &attempt{w: w, r: r}
	query := r.URL.Query()
	c := findCredentials(r, query, h.opts.CookieName)
	a.token = c.token

	cookies := h.usesCookies(r, c)
	if err := h.origins.check(r, cookies); err != nil {
		h.logOrigin(r, err, cookies, c.token)
		h.refuse(a, err)
		return
	}
	if err := checkHandshake(w.Header(), r); err != nil {
		h.refuse(a, err)
		return
	}
	clientID, err := clientID(query)
	if err != nil {
		h.refuse(a, err)
		return
	}
	v := h.hub.BeginVerification()
	id, err := h.identify(r, c)
	if err != nil {
		if gone(r) {
			err = errGone
		}
		h.refuse(a, err)
		return
	}
	a.userID = id.UserID
	if !h.shared.connections.take() {
		h.refuse(a, errFull)
		return
	}
	if err := h.connect(a, id, v, clientID); err != nil {
		h.shared.connections.release()
		h.refuse(a, err)
	}
}

// connect takes the connection over from net/http and then admits it to the hub. In the other
// order, a request whose upgrade fails would replace a working connection.
func (h *handler) connect(a *attempt, id auth.Identity, v room.Verification, clientID string) error {
	if gone(a.r) {
		// the client may have opened another connection, which this one must not replace
		return errGone
	}
	if err := h.hijack(a); err != nil {
		return err
	}
	if gone(a.r) {
		return errGone
	}
	a.conn.head = switchingProtocols(a.r)
	s, err := h.hub.Connect(a.r.Context(), id, a.conn, &room.ConnectOptions{
		ClientID: clientID, Verifier: h.verifier, Verification: v, RemoteAddr: a.r.RemoteAddr,
	})
	if err != nil {
		return err
	}
	a.conn.session, a.conn.counted = s, true
	go a.conn.serve()
	return nil
}

// gone reports whether the client has closed the connection of its request.
func gone(r *http.Request) bool { return errors.Is(r.Context().Err(), context.Canceled) }

// usesCookies reports whether the request may be authenticated by a cookie, which browsers attach
// no matter which site opened the connection.
func (h *handler) usesCookies(r *http.Request, c credentials) bool {
	if h.opts.Authenticate != nil {
		return len(r.Header["Cookie"]) > 0
	}
	return c.source == fromCookie
}

// clientID returns the client ID in the query, or "" if there is none.
func clientID(query url.Values) (string, error) {
	switch ids := query["client"]; {
	case len(ids) == 0:
		return "", nil
	case len(ids) > 1 || !protocol.ValidClientID(ids[0]):
		return "", errClientID
	default:
		// a substring would keep the whole URL, which may hold a token, in memory
		return strings.Clone(ids[0]), nil
	}
}
