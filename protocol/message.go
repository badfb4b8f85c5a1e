package protocol

import (
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Version is the version of the protocol. The server sends it in [Hello].
const Version = 1

const (
	// Subprotocol is the WebSocket subprotocol of this version. A server selects no other.
	Subprotocol = "planrooms.v1"
	// TokenSubprotocolPrefix is the prefix of a subprotocol that contains a token in unpadded
	// base64url. A client offers it together with [Subprotocol].
	TokenSubprotocolPrefix = "base64url.bearer.planrooms."
)

// Type is the type of a message.
type Type string

// Message types of the protocol. A host may add event types.
const (
	TypePing            Type = "ping"
	TypePong            Type = "pong"
	TypeJoinPlan        Type = "join-plan"
	TypeLeavePlan       Type = "leave-plan"
	TypeAuthenticate    Type = "authenticate"
	TypeUpdatePresence  Type = "update-presence"
	TypePresenceUpdated Type = "presence-updated"
	TypeTaskUpdated     Type = "task-updated"
	TypeTaskCreated     Type = "task-created"
	TypeTaskDeleted     Type = "task-deleted"
	TypeTaskReordered   Type = "task-reordered"
	TypeProgressUpdated Type = "progress-updated"
	TypeReceipt         Type = "receipt"
	TypeResync          Type = "resync"
	TypeError           Type = "error"
	TypeRemoved         Type = "removed"
	TypeGoodbye         Type = "goodbye"
)

// Reserved reports whether t is a type of the protocol other than an event type. A host must not
// broadcast events of a reserved type.
func (t Type) Reserved() bool {
	switch t {
	case TypePing, TypePong, TypeJoinPlan, TypeLeavePlan, TypeAuthenticate, TypeUpdatePresence, TypePresenceUpdated,
		TypeReceipt, TypeResync, TypeError, TypeRemoved, TypeGoodbye:
		return true
	}
	return false
}

// Message is a message from a server, as [Decode] returns it.
type Message struct {
	Type       Type
	PlanID     string          // "" if the message does not concern a plan
	Data       json.RawMessage // nil if there is none
	Timestamp  time.Time       // zero if there is none
	Seq, Prev  uint64          // both 0 if the message is neither an event nor a receipt
	By         string          // the user who made the change, if known
	MutationID string
	Version    EventVersion // zero if there is none
}

// Decode decodes a message from a server. It ignores unknown fields. It returns [ErrMalformed] if b
// is not a message, has duplicate keys in the envelope, or continues after the message. The result
// does not retain b.
func Decode(b []byte) (Message, error) {
	var m Message
	s := scanner{b: b, maxDepth: maxServerDepth, unique: true}
	ok := utf8.Valid(b) && s.object(func(key string, value []byte) bool {
		switch key {
		case "type":
			v, ok := stringOf(value)
			m.Type = Type(v)
			return ok
		case "planId":
			v, ok := stringOf(value)
			m.PlanID = v
			return ok
		case "data":
			if string(value) != "null" {
				m.Data = append(json.RawMessage(nil), value...)
			}
		case "timestamp":
			v, ok := stringOf(value)
			at, err := time.Parse(time.RFC3339, v)
			m.Timestamp = at.UTC()
			return ok && err == nil
		case "seq", "prev":
			n, ok := seqOf(value)
			if key == "seq" {
				m.Seq = n
			} else {
				m.Prev = n
			}
			return ok
		case "by":
			v, ok := stringOf(value)
			m.By = v
			return ok
		case "mutationId":
			v, ok := stringOf(value)
			m.MutationID = v
			return ok
		case "version":
			v, ok := versionOf(value)
			m.Version = v
			return ok
		}
		return true
	})
	if !ok || m.Type == "" || m.Prev > 0 && m.Prev >= m.Seq {
		return Message{}, ErrMalformed
	}
	return m, nil
}

// Encode encodes a message from a server that is not an event. It omits an empty planID, nil data
// and a zero time. It returns the error of encoding/json if data cannot be encoded.
func Encode(t Type, planID string, data any, at time.Time) ([]byte, error) {
	const envelope = 64 // an estimate, in bytes
	size := envelope + len(t) + len(planID)
	a, ok := data.(appender)
	if ok {
		size += a.size()
	}
	b := appendEnvelope(make([]byte, 0, size), t, planID)
	if ok {
		b = a.appendTo(append(b, `,"data":`...))
	} else if data != nil {
		raw, err := marshal(data)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"data":`...), raw...)
	}
	if !at.IsZero() {
		b = appendTime(append(b, `,"timestamp":`...), at)
	}
	return append(b, '}'), nil
}

func appendEnvelope(b []byte, t Type, planID string) []byte {
	b = appendString(append(b, `{"type":`...), string(t))
	if planID != "" {
		b = appendString(append(b, `,"planId":`...), planID)
	}
	return b
}

// appendTime appends a time in RFC 3339 format, in UTC with milliseconds. Package time formats the
// layout without milliseconds faster, so they are added here.
func appendTime(b []byte, at time.Time) []byte {
	at = at.UTC()
	b = at.AppendFormat(append(b, '"'), time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	b = b[:len(b)-1] // without the Z
	return append(b, '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z', '"')
}
