package protocol

import (
	"encoding/json"
	"time"
)

// Hello is the data of the pong that opens a connection.
type Hello struct {
	UserID       string    `json:"userId"`
	Connected    bool      `json:"connected"`
	Timestamp    Timestamp `json:"timestamp"`
	ConnectionID string    `json:"connectionId"`
	ClientID     string    `json:"clientId"`
	Protocol     int       `json:"protocol"`
}

// Timestamp is a time as it stands on the wire: RFC 3339, UTC, milliseconds.
type Timestamp struct{ time.Time }

// MarshalJSON implements [json.Marshaler].
func (t Timestamp) MarshalJSON() ([]byte, error) { return appendTime(nil, t.Time), nil }

// JoinAnswer is the data of the join-plan that answers one.
type JoinAnswer struct {
	Success          bool          `json:"success"`
	ParticipantCount int           `json:"participantCount"`
	Participants     []Participant `json:"participants"`
	// Position is where this connection's stream goes on: the next event has it as prev.
	Position Position `json:"position"`
	// Recovered tells that since was honoured: everything after it follows.
	Recovered bool `json:"recovered"`
}

// Participant is one user who is in a plan.
type Participant struct {
	UserID      string          `json:"userId"`
	UserName    string          `json:"userName"`
	Connections int             `json:"connections"` // 0 while the user may be about to come back
	State       json.RawMessage `json:"state,omitempty"`
}

// Joined is the data of a join-plan that tells of another user.
type Joined struct {
	UserID           string `json:"userId"`
	UserName         string `json:"userName"`
	ParticipantCount int    `json:"participantCount"`
}

// Count is the data of a join-plan in a crowded room: people are no longer told one by one.
type Count struct {
	ParticipantCount int `json:"participantCount"`
}

// Left is the data of a leave-plan that tells of another user.
type Left struct {
	UserID           string `json:"userId"`
	ParticipantCount int    `json:"participantCount"`
}

// LeaveAnswer is the data of the leave-plan that answers one.
type LeaveAnswer struct {
	Success bool `json:"success"`
}

// PresenceUpdated is the data of presence-updated. A nil State stands as null: there is none any more.
type PresenceUpdated struct {
	UserID string          `json:"userId"`
	State  json.RawMessage `json:"state"`
}

// Authenticated is the data of the authenticate that answers one. ExpiresAt is nil if the new token never expires.
type Authenticated struct {
	Success   bool       `json:"success"`
	ExpiresAt *Timestamp `json:"expiresAt"`
}

// Resync is the data of resync: reload the plan, the next event has position.seq as prev.
type Resync struct {
	Position Position `json:"position"`
	Reason   string   `json:"reason"`
}

// Error is the data of error.
type Error struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
	Re      Type      `json:"re"`
}

// Removed is the data of removed: the connection is no longer in the plan. Retry tells that access could not be checked,
// rather than that it has ended.
type Removed struct {
	Reason string `json:"reason"`
	Retry  bool   `json:"retry"`
}

// Goodbye is the data of goodbye. Code and reason are those of the close frame that follows.
type Goodbye struct {
	Code         CloseCode `json:"code"`
	Reason       string    `json:"reason"`
	Reconnect    bool      `json:"reconnect"`
	Reauth       bool      `json:"reauth"`
	RetryAfterMs int64     `json:"retryAfterMs"`
}
