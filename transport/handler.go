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

// handler serves WebSocket connections. It is what [NewHandler] returns.
type handler struct {
	// Fixed at creation.
	hub      *room.Hub
	verifier auth.Verifier
	opts     Options
	origins  origins

	connections limit
	refusing    limit
	buffers     buffers

	refusedOrigins logLimit
	originPanics   logLimit
	unverified     logLimit
	failedUpgrades logLimit
	discarded      logLimit
	undecided      logLimit // verifications
}

// NewHandler returns a handler that connects WebSocket clients to hub. v checks their tokens, those of later
// authenticate messages included; it may be nil if opts has Authenticate, and authenticate messages are then refused.
// Nil options mean the defaults.
//
// A connection outlives its request: ServeHTTP returns when the connection has been handed to the hub, and middleware
// around it sees no more than the upgrade. [room.Hub.Shutdown] ends the connections; [http.Server.Shutdown] knows
// nothing of them. The request's context, and values in it, are not used once ServeHTTP has returned.
//
// A server should have ReadHeaderTimeout set, or clients can hold connections by sending headers slowly.
func NewHandler(hub *room.Hub, v auth.Verifier, opts *Options) http.Handler {
	o := opts.withDefaults()
	switch {
	case hub == nil:
		panic("transport: NewHandler: hub is nil")
	case v == nil && o.Authenticate == nil:
		panic("transport: NewHandler: Verifier and Options.Authenticate are both nil")
	}
	h := &handler{hub: hub, verifier: v, opts: o, origins: newOrigins(&o)}
	h.opts.AllowedOrigins = nil // the caller's slice is not kept
	h.connections.max = int64(o.MaxConnections)
	h.refusing.max = maxRefusing
	return h
}

// attempt is a request on its way to become a connection. It belongs to the handler's goroutine.
type attempt struct {
	w      http.ResponseWriter
	r      *http.Request
	token  string // never logged
	userID string // once the token has been verified
	conn   *conn  // once it has been taken over from net/http: then w must not be used
}

// ServeHTTP turns one request into a connection, in the order of doc.go.
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
	id, err := h.identify(r, c)
	if err != nil {
		if gone(r) {
			err = errGone
		}
		h.refuse(a, err)
		return
	}
	a.userID = id.UserID
	if !h.connections.take() {
		h.refuse(a, errFull)
		return
	}
	if err := h.connect(a, id, clientID); err != nil {
		h.connections.release()
		h.refuse(a, err)
	}
}

// connect takes the connection over from net/http and then admits it to the hub. In the other order
// a request whose upgrade fails would replace a connection that works.
func (h *handler) connect(a *attempt, id auth.Identity, clientID string) error {
	if gone(a.r) {
		return errGone // it must not replace what the client has opened since
	}
	if err := h.hijack(a); err != nil {
		return err
	}
	if gone(a.r) {
		return errGone
	}
	a.conn.head = switchingProtocols(a.r)
	s, err := h.hub.Connect(a.r.Context(), id, a.conn, &room.ConnectOptions{
		ClientID: clientID, Verifier: h.verifier, RemoteAddr: a.r.RemoteAddr,
	})
	if err != nil {
		return err
	}
	a.conn.session = s
	go a.conn.serve(h.connections.release)
	return nil
}

// gone reports whether the client has closed the connection of its request.
func gone(r *http.Request) bool { return errors.Is(r.Context().Err(), context.Canceled) }

// usesCookies reports whether the request may be authenticated by a cookie, which browsers attach no
// matter which site opened the connection.
func (h *handler) usesCookies(r *http.Request, c credentials) bool {
	if h.opts.Authenticate != nil {
		return len(r.Header["Cookie"]) > 0
	}
	return c.source == fromCookie
}

// clientID returns what the client calls itself, or "" if it does not.
func clientID(query url.Values) (string, error) {
	switch ids := query["client"]; {
	case len(ids) == 0:
		return "", nil
	case len(ids) > 1 || !protocol.ValidClientID(ids[0]):
		return "", errClientID
	default:
		return strings.Clone(ids[0]), nil // a piece of the URL, which may hold a token and would live as long
	}
}
