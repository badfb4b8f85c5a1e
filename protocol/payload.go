package protocol

import (
	"encoding/json"
	"time"
)

// Hello is the data of the first message of a connection, a pong.
type Hello struct {
	UserID       string    `json:"userId"`
	Connected    bool      `json:"connected"`
	Timestamp    Timestamp `json:"timestamp"`
	ConnectionID string    `json:"connectionId"`
	ClientID     string    `json:"clientId"`
	Protocol     int       `json:"protocol"`
}

// Timestamp is a time that is encoded in the format of RFC 3339, in UTC, with milliseconds.
type Timestamp struct{ time.Time }

// MarshalJSON implements [json.Marshaler].
func (t Timestamp) MarshalJSON() ([]byte, error) { return appendTime(nil, t.Time), nil }

// JoinAnswer is the data of the answer to join-plan.
type JoinAnswer struct {
	Success          bool          `json:"success"`
	ParticipantCount int           `json:"participantCount"`
	Participants     []Participant `json:"participants"`
	// Position is where the events of this connection continue: the next event follows it.
	Position Position `json:"position"`
	// Recovered reports that the server replays all events after since. If it is false, the client
	// loads the plan.
	Recovered bool `json:"recovered"`
}

// Participant is a user who is in a plan.
type Participant struct {
	UserID      string          `json:"userId"`
	UserName    string          `json:"userName"`
	Connections int             `json:"connections"` // 0 in the grace period after the last one
	State       json.RawMessage `json:"state,omitempty"`
}

// Joined is the data of the notice, of type join-plan, that another user has joined.
type Joined struct {
	UserID           string `json:"userId"`
	UserName         string `json:"userName"`
	ParticipantCount int    `json:"participantCount"`
}

// Count is the data of a join-plan notice in a crowded room, where the server does not send a
// notice for each user.
type Count struct {
	ParticipantCount int `json:"participantCount"`
}

// Left is the data of the notice, of type leave-plan, that another user has left.
type Left struct {
	UserID           string `json:"userId"`
	ParticipantCount int    `json:"participantCount"`
}

// LeaveAnswer is the data of the answer to leave-plan.
type LeaveAnswer struct {
	Success bool `json:"success"`
}

// PresenceUpdated is the data of presence-updated. State is null, or nil in Go, if it was cleared.
type PresenceUpdated struct {
	UserID string          `json:"userId"`
	State  json.RawMessage `json:"state"`
}

// Authenticated is the data of the answer to authenticate. ExpiresAt is null, or nil in Go, if the
// new token never expires.
type Authenticated struct {
	Success   bool       `json:"success"`
	ExpiresAt *Timestamp `json:"expiresAt"`
}

// Resync is the data of resync: the client must reload the plan. The next event follows Position.
// The client loads after a random part of SpreadMs milliseconds, so that the clients of a crowded
// room do not all load at once.
type Resync struct {
	Position Position `json:"position"`
	Reason   string   `json:"reason"`
	SpreadMs int64    `json:"spreadMs,omitempty"`
}

// Error is the data of error. Re is the type of the request that the server refuses.
type Error struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
	Re      Type      `json:"re"`
}

// Removed is the data of removed: the server has removed the connection from the plan. If Retry is
// true, the server could not check the access of the user, and the client may join again; otherwise
// the access has ended.
type Removed struct {
	Reason string `json:"reason"`
	Retry  bool   `json:"retry"`
}

// Goodbye is the data of goodbye. The close frame that follows has the same code and reason. The
// client waits for RetryAfterMs milliseconds before it reconnects.
type Goodbye struct {
	Code         CloseCode `json:"code"`
	Reason       string    `json:"reason"`
	Reconnect    bool      `json:"reconnect"`
	Reauth       bool      `json:"reauth"`
	RetryAfterMs int64     `json:"retryAfterMs"`
}
