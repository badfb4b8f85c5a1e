package transport

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

var (
	errClientID = errors.New("transport: malformed client id")
	errNoHijack = errors.New("transport: the ResponseWriter gives no access to the connection; http.TimeoutHandler and middleware without Unwrap cannot carry a WebSocket")
)

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

// ServeHTTP turns one request into a connection, in the order that doc.go tells.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = showToken(r)
	query := r.URL.Query()
	c := findCredentials(r, query, h.opts.CookieName)

	cookies := h.usesCookies(r, c)
	if err := h.origins.check(r, cookies); err != nil {
		h.logOrigin(r, err, cookies, c.token)
		h.refuse(w, r, err, "")
		return
	}
	if !checkHandshake(w, r) {
		return
	}
	if !canHijack(w) {
		h.log(r, slog.LevelError, errNoHijack.Error())
		answer(w, http.StatusInternalServerError, "internal error")
		return
	}
	clientID, err := clientID(query)
	if err == nil && errors.Is(c.err, errSubprotocol) {
		err = c.err
	}
	if err != nil {
		h.refuse(w, r, err, "")
		return
	}
	id, err := h.identify(r, c)
	if err == nil && !h.connections.take() {
		err = errFull
	}
	if err != nil {
		h.refuse(w, r, err, c.token)
		return
	}
	h.connect(w, r, id, clientID)
}

// connect admits the connection to the hub and upgrades it. Admission comes first, since its refusal is an HTTP
// answer; the hub holds back what it has to write meanwhile.
func (h *handler) connect(w http.ResponseWriter, r *http.Request, id auth.Identity, clientID string) {
	if r.Context().Err() != nil {
		h.connections.release() // gone while it was verified; it must not replace what the client has opened since
		return
	}
	c := newConn(h.opts.Logger, h.opts.WriteBuffer, &h.buffers)
	s, err := h.hub.Connect(r.Context(), id, c, &room.ConnectOptions{ClientID: clientID, Verifier: h.verifier, RemoteAddr: r.RemoteAddr, Hold: true})
	if err != nil {
		h.connections.release()
		h.refuse(w, r, err, "")
		return
	}
	c.session = s
	reading := false
	defer func() { // also when a ResponseWriter panics
		if !reading {
			_ = c.Close() // there is no socket, or nobody reads it
			h.connections.release()
			s.End(protocol.CloseAbnormal)
		}
	}()
	ws, err := accept(hijacker{w, c}, bareHandshake(r))
	if err != nil {
		h.log(r, slog.LevelInfo, "transport: upgrade failed", slog.Any("error", err))
		return
	}
	s.Open()
	reading = true
	go c.serve(ws, h.connections.release)
}

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
