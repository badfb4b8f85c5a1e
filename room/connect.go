package room

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
)

// ConnectOptions describe a connection to [Hub.Connect]. Nil means none of them.
type ConnectOptions struct {
	// ClientID distinguishes the tabs of a user. A new connection with the same user and client ID
	// replaces the older one, which is closed with 4409. Default: the ID of the connection.
	ClientID string
	// Verifier checks the tokens of authenticate messages. Default: nil, all are refused.
	Verifier auth.Verifier
	// Verification is what [Hub.BeginVerification] returned before the transport verified the
	// credentials of the client. Connect then refuses the connection if [Hub.Disconnect] was called
	// for the user or the session since. Default: only calls after Connect affect the connection.
	Verification Verification
	// RemoteAddr is for logs and observers.
	RemoteAddr string
	// Hold keeps the hub from writing before [Session.Open] is called. It is for a transport that
	// can write only after it knows that the connection is admitted. Default: false.
	Hold bool
}

// BeginVerification returns the present moment. A transport calls it before it verifies the
// credentials of a client, and passes the result in [ConnectOptions]. So Connect knows whether
// [Hub.Disconnect] was called for the client meanwhile, and refuses the connection. The hub
// remembers calls of Disconnect for a minute, and the last 16,384 users or sessions at most. A
// verification that took so long that a call since its beginning is forgotten is refused with
// [ErrVerification].
func (h *Hub) BeginVerification() Verification {
	return Verification{h.disconnects.calls.Load() + 1}
}

// Connect registers a connection and sends the greeting through sink, immediately or, with
// ConnectOptions.Hold, when [Session.Open] is called. If it fails, nothing has been written and the
// caller still owns sink. Errors: [ErrHubClosed], [ErrTooManyConnections], [ErrExpired],
// [ErrUserID], [ErrClientID], and with ConnectOptions.Verification [ErrDisconnected],
// [ErrSignInAgain], [ErrVerification].
func (h *Hub) Connect(_ context.Context, id auth.Identity, sink Sink, opts *ConnectOptions) (*Session, error) {
	if opts == nil {
		opts = &ConnectOptions{}
	}
	if !protocol.ValidUserID(id.UserID) {
		return nil, ErrUserID
	}
	if opts.ClientID != "" && !protocol.ValidClientID(opts.ClientID) {
		return nil, ErrClientID
	}
	now := time.Now()
	if !id.ExpiresAt.IsZero() && !now.Before(id.ExpiresAt) {
		return nil, ErrExpired
	}
	id.Name = clipName(id.Name)
	s := &Session{
		hub: h, id: rand.Text(), viewer: viewer{clientID: opts.ClientID, userID: id.UserID, conn: h.conns.Add(1)}, remote: opts.RemoteAddr, since: now,
		verifier: opts.Verifier, identity: id,
	}
	if s.clientID == "" {
		s.clientID = s.id
	}
	s.inbox.owner = s
	s.held.Store(opts.Hold)
	s.out = newOutlet(&s.viewer, sink, s, &h.outlets, opts.Hold)
	s.Seen()

	replaced, err := h.register(s, opts.Verification)
	if err != nil {
		return nil, err
	}
	if replaced != nil {
		replaced.Close(protocol.CloseReplaced)
	}
	if f := h.opts.Observer.Connect; f != nil {
		h.observe(s, func() { f(s.Info()) })
	}
	s.out.send(reply{payload: mustEncode(protocol.TypePong, "", protocol.Hello{
		UserID: s.userID, Connected: true, Timestamp: protocol.Timestamp{Time: now}, ConnectionID: s.id, ClientID: s.clientID, Protocol: protocol.Version,
	})})
	s.setTimers()
	return s, nil
}

// register checks the limit and adds s under one lock, so that the limit is exact, and a call of
// Disconnect either finds s or is found here.
func (h *Hub) register(s *Session, v Verification) (replaced *Session, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrHubClosed
	}
	if err := h.disconnects.check(v, s.userID, s.identity.SessionID); err != nil {
		return nil, err
	}
	own := h.users[s.userID]
	for _, other := range own {
		if other.clientID == s.clientID {
			replaced = other
		}
	}
	if replaced == nil && len(own) >= h.opts.ConnectionsPerUser {
		return nil, ErrTooManyConnections
	}
	if replaced != nil {
		own = without(own, replaced)
		if !replaced.forgotten {
			h.closing.add(s.userID, replaced) // as it will be in a moment
		}
	}
	h.users[s.userID] = append(own, s)
	s.out.queue.account = h.accountLocked(s.userID)
	h.sessions[s] = struct{}{}
	h.open.Add(1)
	h.stats.connects.Add(1)
	h.janitor.startLocked()
	return replaced, nil
}
