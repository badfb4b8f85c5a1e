package room

import "github.com/planrooms/planrooms/protocol"

// RefusalReason is the reason why a transport did not serve a request. The reasons are the
// constants below, so that a reason can be the label of a metric.
type RefusalReason string

// The reasons for which a connection is refused.
const (
	// RefusedOrigin: the page's origin is not allowed (403).
	RefusedOrigin RefusalReason = "origin"
	// RefusedHandshake: the request is not a valid handshake (400, 405, 426).
	RefusedHandshake RefusalReason = "handshake"
	// RefusedNoToken: the request has no credentials (401, 4401).
	RefusedNoToken RefusalReason = "no_token"
	// RefusedInvalidToken: the token is not accepted (401, 4401).
	RefusedInvalidToken RefusalReason = "invalid_token"
	// RefusedExpiredToken: the token was valid once (401, 4401).
	RefusedExpiredToken RefusalReason = "expired_token"
	// RefusedUnavailable: the token could not be verified at present (503, 4500).
	RefusedUnavailable RefusalReason = "unavailable"
	// RefusedDisconnected: [Hub.Disconnect] was called for the user or the session while the token
	// was being verified (403, 4403; with [SignInAgain] 401, 4401).
	RefusedDisconnected RefusalReason = "disconnected"
	// RefusedUserLimit: the user has [Options.ConnectionsPerUser] connections (429, 4429).
	RefusedUserLimit RefusalReason = "user_connections"
	// RefusedServerLimit: the transport has as many connections as it takes (503, 4429).
	RefusedServerLimit RefusalReason = "server_connections"
	// RefusedShutdown: the hub is shutting down (503, 4503).
	RefusedShutdown RefusalReason = "shutting_down"
	// RefusedUpgrade: the connection could not be upgraded, nearly always because of a middleware
	// (500).
	RefusedUpgrade RefusalReason = "upgrade_failed"
	// RefusedGone: the client closed the connection before it was accepted.
	RefusedGone RefusalReason = "client_gone"
	// RefusedOther: any other reason.
	RefusedOther RefusalReason = "other"
)

// refusalReasons is the closed set. The last counts all others.
var refusalReasons = [...]RefusalReason{
	RefusedOrigin, RefusedHandshake, RefusedNoToken, RefusedInvalidToken, RefusedExpiredToken, RefusedUnavailable,
	RefusedDisconnected, RefusedUserLimit, RefusedServerLimit, RefusedShutdown, RefusedUpgrade, RefusedGone, RefusedOther,
}

// RefusalInfo describes a request that a transport did not serve.
type RefusalInfo struct {
	// Reason is one of the constants. [Hub.ReportRefusal] replaces any other by RefusedOther.
	Reason RefusalReason
	// Status is the HTTP status of the answer. If Code is set, the client got 101 and a goodbye
	// instead, and Status is what it would have got without an Origin header.
	Status int
	// Code is the close code of the goodbye, or 0 if the answer was HTTP alone.
	Code protocol.CloseCode
	// RemoteAddr is the address of the peer, as the transport knows it.
	RemoteAddr string
	// Origin is the Origin header of the request, fit for a log: escaped, and cut off if it is
	// long.
	Origin string
	// UserID is the user of the verified token; "" if none was verified.
	UserID string
	// Err is the cause. Its text holds no part of the token.
	Err error
}
