package protocol

import (
	"encoding/json"
	"strconv"
	"time"
)

// Event describes a change of a plan. There is a constructor for each of the five event types of
// the protocol. A host may define further event types, with any Type that is not reserved.
type Event struct {
	Type Type
	// Data is encoded with encoding/json. A json.RawMessage or []byte must be JSON and is sent as
	// it is. Data of one of the five event types of the protocol must be an object with the key
	// that its constructor adds, such as {"task": …}.
	Data any
	// Version is the version of what the event describes. If it is zero, EventMeta.Version applies.
	// Notices have none.
	Version EventVersion

	key string // key of Data in the data of the message; "" if Data is the data of the message
}

// TaskUpdated returns an event for a changed task.
func TaskUpdated(task any) Event { return Event{Type: TypeTaskUpdated, Data: task, key: "task"} }

// TaskCreated returns an event for a new task.
func TaskCreated(task any) Event { return Event{Type: TypeTaskCreated, Data: task, key: "task"} }

// TaskDeleted returns an event for a deleted task. Its ID is a string, or an integer from -(2^53-1)
// to 2^53-1.
func TaskDeleted(taskID any) Event {
	return Event{Type: TypeTaskDeleted, Data: taskID, key: "taskId"}
}

// TaskReordered returns an event with the new order of all tasks of the plan: a list of IDs, each a
// string, or an integer from -(2^53-1) to 2^53-1.
func TaskReordered(taskIDs any) Event {
	return Event{Type: TypeTaskReordered, Data: taskIDs, key: "taskIds"}
}

// ProgressUpdated returns an event with the progress of the plan.
func ProgressUpdated(progress any) Event {
	return Event{Type: TypeProgressUpdated, Data: progress, key: "progress"}
}

// EventMeta has the fields of an event other than its data and its position.
type EventMeta struct {
	PlanID     string
	By         string // user who made the change; "" if unknown
	MutationID string // mutation ID of the client that made the change; "" if it has none
	Version    EventVersion
	Timestamp  time.Time
}

// EncodedEvent is an encoded event without its position. The encoding is the same for all clients.
type EncodedEvent struct{ b []byte }

// positionBytes is the space that an EncodedEvent reserves for its position: two keys, two numbers
// below 2^64 and the closing brace.
const positionBytes = len(`,"seq":,"prev":}`) + 2*20

// envelopeBytes is the size of an event without its type, plan, key, data and position.
const envelopeBytes = len(`{"type":"","planId":"","data":{"":},"timestamp":"2006-01-02T15:04:05.000Z"`)

// EncodeEvent encodes an event without its position. The encoded data may have at most maxBytes.
// Errors: [ErrEventType], [ErrEventData], [ErrTaskID], [ErrEventTooLarge], [ErrEventVersion].
func EncodeEvent(e Event, m EventMeta, maxBytes int) (EncodedEvent, error) {
	raw, err := e.encodeData(maxBytes)
	if err != nil {
		return EncodedEvent{}, err
	}
	return e.encode(raw, m)
}

// EncodeData encodes the data of an event once, for events of several plans. The result is the same
// event with data that [EncodeEvent] does not encode or check again. The limit and the errors are
// those of EncodeEvent.
func EncodeData(e Event, maxBytes int) (Event, error) {
	if e.Version != (EventVersion{}) && !e.Version.Valid() {
		return Event{}, ErrEventVersion
	}
	raw, err := e.encodeData(maxBytes)
	if err != nil {
		return Event{}, err
	}
	e.Data = encodedData(raw)
	return e, nil
}

// encodedData is data that encodeData has returned.
type encodedData []byte

// encode encodes an event with encoded data.
func (e *Event) encode(raw []byte, m EventMeta) (EncodedEvent, error) {
	if e.Version != (EventVersion{}) {
		m.Version = e.Version
	}
	if m.Version != (EventVersion{}) && !m.Version.Valid() {
		return EncodedEvent{}, ErrEventVersion
	}
	size := envelopeBytes + len(e.Type) + len(m.PlanID) + len(e.key) + len(raw) + positionBytes
	if m.By != "" {
		size += len(`,"by":""`) + len(m.By)
	}
	if m.MutationID != "" {
		size += len(`,"mutationId":""`) + len(m.MutationID)
	}
	if m.Version.Key != "" {
		size += len(`,"version":{"key":"","n":9007199254740991}`) + len(m.Version.Key)
	}
	b := appendEnvelope(make([]byte, 0, size), e.Type, m.PlanID)
	b = e.appendData(b, raw)
	b = appendMeta(b, m)
	if cap(b)-len(b) < positionBytes { // escaping made an ID longer
		b = append(make([]byte, 0, len(b)+positionBytes), b...)
	}
	return EncodedEvent{b: b}, nil
}

// EncodeNotice encodes an event for one user instead of a plan. It has no position. The limit and
// the errors are those of [EncodeEvent].
func EncodeNotice(e Event, at time.Time, maxBytes int) ([]byte, error) {
	raw, err := e.encodeData(maxBytes)
	if err != nil {
		return nil, err
	}
	b := appendEnvelope(make([]byte, 0, len(raw)+128), e.Type, "")
	b = appendMeta(e.appendData(b, raw), EventMeta{Timestamp: at})
	return append(b, '}'), nil
}

func (e *Event) encodeData(maxBytes int) (raw []byte, err error) {
	if e.Type == "" || len(e.Type) > MaxTypeBytes || e.Type.Reserved() || !printable(string(e.Type)) {
		return nil, ErrEventType
	}
	switch data := e.Data.(type) {
	case encodedData:
		return data, nil
	case json.RawMessage:
		raw, err = checkJSON(data, maxBytes)
	case []byte: // encoding/json would encode it as base64
		raw, err = checkJSON(data, maxBytes)
	default:
		raw, err = encodeJSON(data)
	}
	if err != nil {
		return nil, err
	}
	if len(raw) > maxBytes {
		return nil, ErrEventTooLarge
	}
	if e.key == "taskIds" && string(raw) == "null" {
		raw = []byte("[]")
	}
	return raw, e.checkData(raw)
}

func (e *Event) appendData(b, raw []byte) []byte {
	b = append(b, `,"data":`...)
	if e.key == "" {
		return append(b, raw...)
	}
	b = append(append(append(b, '{', '"'), e.key...), '"', ':')
	return append(append(b, raw...), '}')
}

func appendMeta(b []byte, m EventMeta) []byte {
	b = appendTime(append(b, `,"timestamp":`...), m.Timestamp)
	if m.By != "" {
		b = appendString(append(b, `,"by":`...), m.By)
	}
	if m.MutationID != "" {
		b = appendString(append(b, `,"mutationId":`...), m.MutationID)
	}
	if m.Version.Key != "" {
		b = m.Version.appendTo(append(b, `,"version":`...))
	}
	return b
}

// Bytes returns the encoding, from before the call of Splice. The result shares memory with e and
// must not be modified.
func (e EncodedEvent) Bytes() []byte { return e.b[:len(e.b):len(e.b)] }

// EncodedFrom returns the EncodedEvent whose Bytes were b, in this or another process. It copies b,
// and does not check it.
func EncodedFrom(b []byte) EncodedEvent {
	return EncodedEvent{b: append(make([]byte, 0, len(b)+positionBytes), b...)}
}

// Splice adds the position and returns the complete message. It must be called at most once. The
// result shares memory with e and must not be modified.
func (e *EncodedEvent) Splice(seq, prev uint64) []byte {
	e.b = appendPosition(e.b, seq, prev)
	return e.b
}

func appendPosition(b []byte, seq, prev uint64) []byte {
	b = strconv.AppendUint(append(b, `,"seq":`...), seq, 10)
	b = strconv.AppendUint(append(b, `,"prev":`...), prev, 10)
	return append(b, '}')
}

// AppendReceipt appends the receipt of an event: the message that a client receives instead of an
// event that excludes it. The metadata must be what [EncodeEvent] accepted.
func AppendReceipt(dst []byte, m EventMeta, seq, prev uint64) []byte {
	return appendPosition(appendMeta(appendEnvelope(dst, TypeReceipt, m.PlanID), m), seq, prev)
}
