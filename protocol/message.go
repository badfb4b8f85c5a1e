package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Type is the name of a kind of message.
type Type string

// The types of the protocol. Those that both sides send mean a request in one
// direction and its answer, or the news of it, in the other.
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

	TypeReceipt Type = "receipt"
	TypeResync  Type = "resync"
	TypeError   Type = "error"
	TypeRemoved Type = "removed"
	TypeGoodbye Type = "goodbye"
)

// Reserved reports whether t is a type of the protocol's own that is not an
// event. A host may not broadcast it.
func (t Type) Reserved() bool {
	switch t {
	case TypePing, TypePong, TypeJoinPlan, TypeLeavePlan, TypeAuthenticate,
		TypeUpdatePresence, TypePresenceUpdated,
		TypeReceipt, TypeResync, TypeError, TypeRemoved, TypeGoodbye:
		return true
	}
	return false
}

// typeValue reads a type. The known ones cost no memory.
func typeValue(value []byte) (Type, bool) {
	s, ok := stringValue(value)
	return Type(s), ok
}

// Message is one message of the server as a client reads it.
type Message struct {
	Type       Type
	PlanID     string          // "" if the message is about no plan
	Data       json.RawMessage // nil if there is none; see UnmarshalData
	Timestamp  time.Time       // UTC; zero if there is none
	Seq        uint64          // of an event or receipt; 0: it is neither
	Prev       uint64          // Seq of the event before it in this plan
	By         string          // id of the user who caused the event, if known
	MutationID string          // the caller's own name for the change, if given
}

// UnmarshalData reads the data of m into one of the payload structs of this
// package, or a struct of the host's. The error is or wraps [ErrMalformed].
func (m Message) UnmarshalData(v any) error {
	if m.Data == nil {
		return fmt.Errorf("%w: %q has no data", ErrMalformed, m.Type)
	}
	if err := json.Unmarshal(m.Data, v); err != nil {
		return fmt.Errorf("%w: data of %q: %w", ErrMalformed, m.Type, err)
	}
	return nil
}

// Decode reads one message of the server with the strictness of
// [DecodeRequest], but without a limit of size and nested up to 10,000 deep.
// The data of an event is the host's: in there a key may occur twice.
//
// The error is or wraps [ErrMalformed]. The result shares no memory with b.
func Decode(b []byte) (Message, error) {
	repeatedInData, f := scan(b, maxDecodeDepth, keysUniqueOutsideData)
	if f != faultNone {
		return Message{}, fmt.Errorf("%w: %v", ErrMalformed, f)
	}
	w, ok := walk(b)
	if !ok {
		return Message{}, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	var m Message
	for {
		name, value, more := w.next()
		if !more {
			break
		}
		ok := true
		switch string(name) {
		case "type":
			m.Type, ok = typeValue(value)
		case "planId":
			m.PlanID, ok = stringValue(value)
		case "data":
			m.Data = bytes.Clone(value)
		case "timestamp":
			m.Timestamp, ok = timeValue(value)
		case "seq":
			m.Seq, ok = seqValue(value)
		case "prev":
			m.Prev, ok = seqValue(value)
		case "by":
			m.By, ok = stringValue(value)
		case "mutationId":
			m.MutationID, ok = stringValue(value)
		}
		if !ok {
			return Message{}, fmt.Errorf("%w: %s has the wrong form", ErrMalformed, name)
		}
	}
	if m.Type == "" {
		return Message{}, fmt.Errorf("%w: no type", ErrMalformed)
	}
	if repeatedInData && m.Type.Reserved() {
		return Message{}, fmt.Errorf("%w: %v", ErrMalformed, faultRepeatedKey)
	}
	return m, nil
}

func timeValue(value []byte) (time.Time, bool) {
	s, ok := stringValue(value)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, s)
	t = t.UTC()
	return t, err == nil && fourDigitYear(t)
}

// Encode writes a message of the server that is not an event. An empty planID,
// nil data and a zero time are left out. A [json.RawMessage] passes through;
// other data, usually one of the payload structs, is encoded by encoding/json.
//
// The error wraps [ErrEventData]. Encode does not fail on the payload structs
// of this package as long as their raw fields hold JSON.
func Encode(t Type, planID string, data any, at time.Time) ([]byte, error) {
	raw, err := dataJSON(data)
	if err != nil {
		return nil, fmt.Errorf("encode %q: %w", t, err)
	}
	b := appendHead(make([]byte, 0, 96+len(t)+len(planID)+len(raw)), t, planID)
	if raw != nil {
		b = append(b, `,"data":`...)
		b = append(b, raw...)
	}
	b = appendTimestamp(b, at)
	return append(b, '}'), nil
}

// dataJSON returns data as JSON that has been checked, nil for none.
func dataJSON(data any) ([]byte, error) {
	raw, err := marshal(data)
	if err != nil || raw == nil {
		return nil, err
	}
	return raw, checkData(raw)
}

func checkData(raw []byte) error {
	// The envelope and the member that an event's data may be wrapped in
	// take two levels.
	if _, f := scan(raw, maxDecodeDepth-2, keysFree); f != faultNone {
		return fmt.Errorf("%w: %v", ErrEventData, f)
	}
	return nil
}

// marshal returns data as JSON without escaping markup, unchecked where it is
// raw already. It returns nil for nil.
func marshal(data any) ([]byte, error) {
	switch d := data.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		if d == nil {
			return nil, nil
		}
		return trimSpace(d), nil
	case string:
		return appendString(make([]byte, 0, len(d)+2), d), nil
	case []string:
		return marshalStrings(d), nil
	case JoinAnswer:
		if d.Participants == nil {
			d.Participants = []Participant{}
			data = d
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(data); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEventData, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

func marshalStrings(list []string) []byte {
	b := []byte{'['}
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}
