package protocol

import (
	"encoding/json"
	"strconv"
	"time"
)

// Hello is the data of the first message of a connection, a pong.
type Hello struct {
	UserID       string    `json:"userId"`
	Connected    bool      `json:"connected"` // always true
	Timestamp    time.Time `json:"timestamp"`
	ConnectionID string    `json:"connectionId"`
	ClientID     string    `json:"clientId"` // equals ConnectionID if the client gave none
	Protocol     int       `json:"protocol"` // Version
}

// MarshalJSON writes the time with milliseconds, like all times of the protocol.
func (h Hello) MarshalJSON() ([]byte, error) {
	b := append([]byte(nil), `{"userId":`...)
	b = appendString(b, h.UserID)
	b = append(b, `,"connected":`...)
	b = strconv.AppendBool(b, h.Connected)
	b = append(b, `,"timestamp":`...)
	b = appendTime(b, h.Timestamp)
	b = append(b, `,"connectionId":`...)
	b = appendString(b, h.ConnectionID)
	b = append(b, `,"clientId":`...)
	b = appendString(b, h.ClientID)
	b = append(b, `,"protocol":`...)
	b = strconv.AppendInt(b, int64(h.Protocol), 10)
	return append(b, '}'), nil
}

// JoinAnswer is the data of join-plan to the one who joined.
type JoinAnswer struct {
	Success          bool          `json:"success"` // always true; a refusal is an error message
	ParticipantCount int           `json:"participantCount"`
	Participants     []Participant `json:"participants"` // in a crowded room only the first
	Position         Position      `json:"position"`     // the next event has prev = Position.Seq
	Recovered        bool          `json:"recovered"`    // the missed events follow; otherwise reload the plan
}

// Participant is one person in a plan.
type Participant struct {
	UserID      string          `json:"userId"`
	UserName    string          `json:"userName"`
	Connections int             `json:"connections"`     // 0: gone a moment ago, and perhaps back in the next
	State       json.RawMessage `json:"state,omitempty"` // of the connection that set one last
}

// Joined is the data of join-plan to the others: a person came in.
type Joined struct {
	UserID           string `json:"userId"`
	UserName         string `json:"userName"`
	ParticipantCount int    `json:"participantCount"`
}

// Count is the data of join-plan in a crowded room, where single people are
// not announced any more.
type Count struct {
	ParticipantCount int `json:"participantCount"`
}

// Left is the data of leave-plan to the others: a person is gone.
type Left struct {
	UserID           string `json:"userId"`
	ParticipantCount int    `json:"participantCount"`
}

// PresenceUpdated is the data of presence-updated.
type PresenceUpdated struct {
	UserID string          `json:"userId"`
	State  json.RawMessage `json:"state"` // nil, written as null: cleared
}

// LeaveAnswer is the data of leave-plan to the one who left.
type LeaveAnswer struct {
	Success bool `json:"success"` // always true
}

// Authenticated is the data of the answer to authenticate.
type Authenticated struct {
	Success   bool      `json:"success"`   // always true
	ExpiresAt time.Time `json:"expiresAt"` // zero, written as null: never
}

// MarshalJSON writes the time with milliseconds, like all times of the protocol.
func (a Authenticated) MarshalJSON() ([]byte, error) {
	b := append([]byte(nil), `{"success":`...)
	b = strconv.AppendBool(b, a.Success)
	b = append(b, `,"expiresAt":`...)
	if at := a.ExpiresAt.UTC(); at.IsZero() || !fourDigitYear(at) {
		b = append(b, "null"...)
	} else {
		b = appendTime(b, at)
	}
	return append(b, '}'), nil
}

// Resync is the data of resync: reload the plan, then go on from Position.
type Resync struct {
	Position Position `json:"position"`
	Reason   string   `json:"reason"` // for people
}

// Error is the data of an error message. See [ErrorCode.Payload].
type Error struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"` // for people
	Re      Type      `json:"re"`      // type of the refused request; "" if it could not be read
}

// Removed is the data of removed: the connection is no longer in the plan.
type Removed struct {
	Reason string `json:"reason"` // for people
	Retry  bool   `json:"retry"`  // access could not be checked; joining again may succeed
}

// Goodbye is the data of goodbye, the last message before the server closes.
// See [CloseCode.Goodbye].
type Goodbye struct {
	Code         CloseCode `json:"code"`      // that of the close frame that follows
	Reason       string    `json:"reason"`    // for people
	Reconnect    bool      `json:"reconnect"` // connecting again makes sense
	Reauth       bool      `json:"reauth"`    // but only with a new token
	RetryAfterMs int64     `json:"retryAfterMs"`
}

// TaskData is the data of task-updated and task-created.
type TaskData struct {
	Task json.RawMessage `json:"task"`
}

// TaskDeletedData is the data of task-deleted.
type TaskDeletedData struct {
	TaskID string `json:"taskId"`
}

// TaskReorderedData is the data of task-reordered.
type TaskReorderedData struct {
	TaskIDs []string `json:"taskIds"`
}

// ProgressData is the data of progress-updated.
type ProgressData struct {
	Progress json.RawMessage `json:"progress"`
}
