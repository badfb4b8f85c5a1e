package room

import (
	"context"
	"errors"
	"slices"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/record"
)

var errTwoSessions = errors.New("room: OnlySession with two different sessions")

// DisconnectOption restricts or changes what [Hub.Disconnect] does.
type DisconnectOption struct {
	session     string
	onlySession bool
	signInAgain bool
	replay      bool // of a call that was made some time ago; see Hub.begin
}

// OnlySession restricts [Hub.Disconnect] to the connections whose [auth.Identity] has this
// SessionID: logging out on one device leaves the others alone. For an empty ID, Disconnect returns
// [ErrSessionID] and closes nothing.
func OnlySession(id string) DisconnectOption { return DisconnectOption{session: id, onlySession: true} }

// SignInAgain makes [Hub.Disconnect] close the connections with 4401 instead of 4403: the clients
// ask for a new token and connect again with it.
func SignInAgain() DisconnectOption { return DisconnectOption{signInAgain: true} }

// Disconnect closes all connections of the user, or with [OnlySession] those of one session. It
// closes them with 4403, after which clients do not reconnect, or with [SignInAgain] with 4401.
// Call it after the login has ended in the database of the host. As [Hub.Revoke], it takes up to
// 100 ms, and a ctx that has ended does not stop it.
//
// Once it has returned, no event of any plan is written to these connections, and they no longer
// make the user present in a room. It also refuses a connection whose verification began before the
// call, since the verifier may have read the database before the login ended; see
// [Hub.BeginVerification]. A host that locks a user out must make the verifier refuse as well: a
// token that is still valid can connect again.
//
// With an engine, Disconnect closes the connections on all nodes, as Revoke describes.
//
// Disconnect returns how many connections it has closed. Errors: [ErrUserID], [ErrSessionID],
// [ErrHubClosed], and with an engine those of [Hub.Revoke].
func (h *Hub) Disconnect(ctx context.Context, userID string, opts ...DisconnectOption) (closed int, err error) {
	if !protocol.ValidUserID(userID) {
		return 0, ErrUserID
	}
	var o DisconnectOption
	for _, opt := range opts {
		switch {
		case opt.onlySession && opt.session == "":
			return 0, ErrSessionID
		case opt.onlySession && o.onlySession && opt.session != o.session:
			return 0, errTwoSessions
		case opt.onlySession:
			o.session, o.onlySession = opt.session, true
		}
		o.signInAgain = o.signInAgain || opt.signInAgain
	}
	if h.isOver() {
		return 0, ErrHubClosed
	}
	if h.cluster != nil {
		counts, err := h.cluster.control(ctx, record.KindDisconnect, "", record.Control{
			UserID: userID, SessionID: o.session, OnlySession: o.onlySession, SignInAgain: o.signInAgain,
		}, 0)
		return int(counts[ackRemoved]), err
	}
	finish := h.beginDisconnect(userID, &o)
	if finish == nil {
		return 0, ErrHubClosed
	}
	return int(finish()[ackRemoved]), nil
}

// code is the close code.
func (o *DisconnectOption) code() protocol.CloseCode {
	switch {
	case o.replay:
		return protocol.CloseShutdown // a second 4401 in a row would be final
	case o.signInAgain:
		return protocol.CloseUnauthorized
	}
	return protocol.CloseForbidden
}

// disconnect closes the given connections of a user. It returns how many it has closed.
func (h *Hub) disconnect(userID string, sessions []*Session, o *DisconnectOption) ackCounts {
	closed := uint32(0)
	for _, s := range sessions {
		if o.concerns(s) && s.closeAfter(o.code(), -1) {
			closed++
		}
	}
	// All of them: one that was closing before may still leave its rooms, and linger there, or have
	// a frame half written.
	sessions = slices.DeleteFunc(h.writtenTo(userID), func(s *Session) bool { return !o.concerns(s) || s.isOpen() })
	for _, m := range membersOf(sessions) {
		m.s.depart(m, departure{departNow, LeaveClosed})
	}
	if !o.onlySession { // otherwise the user may linger because of another session
		for _, r := range h.lingers.of(userID) {
			r.expel(userID)
		}
	}
	fenceAll(sessions, "")
	return ackCounts{ackRemoved: closed}
}

// concerns reports whether to close the connection, which is one of the user.
func (o *DisconnectOption) concerns(s *Session) bool {
	return !o.onlySession || s.sessionID() == o.session
}

// beginDisconnect returns a function that closes the connections that the user has now. A
// connection that is not among them is refused if its verification has begun. It returns nil if the
// hub is closed.
func (h *Hub) beginDisconnect(userID string, o *DisconnectOption) (finish func() ackCounts) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed && h.cluster == nil {
		return nil
	}
	h.disconnects.add(disconnected{userID, o.session}, o.signInAgain, h.clock())
	sessions := slices.Clone(h.users[userID])
	return func() ackCounts { return h.disconnect(userID, sessions, o) }
}
