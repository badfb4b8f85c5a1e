package protocol

import (
	"encoding/json"
	"strconv"
	"time"
)

// Event is something that happened to a plan. The five of the protocol have constructors; a host may make its own,
// with any Type that is not Reserved.
type Event struct {
	Type Type
	// Data is encoded with encoding/json. A json.RawMessage and a []byte must be JSON and are taken as
	// they are. Data of one of the five types of the protocol has the key of its constructor, such as
	// {"task": …}.
	Data any

	key string // Data stands under this key of the message's data; "" if it is the data
}

// TaskUpdated tells that a task has changed.
func TaskUpdated(task any) Event { return Event{Type: TypeTaskUpdated, Data: task, key: "task"} }

// TaskCreated tells of a new task.
func TaskCreated(task any) Event { return Event{Type: TypeTaskCreated, Data: task, key: "task"} }

// TaskDeleted tells that a task is gone.
func TaskDeleted(taskID string) Event {
	return Event{Type: TypeTaskDeleted, Data: taskID, key: "taskId"}
}

// TaskReordered tells the new order of all tasks of the plan.
func TaskReordered(taskIDs []string) Event {
	if taskIDs == nil {
		taskIDs = []string{}
	}
	return Event{Type: TypeTaskReordered, Data: taskIDs, key: "taskIds"}
}

// ProgressUpdated tells how far the plan is.
func ProgressUpdated(progress any) Event {
	return Event{Type: TypeProgressUpdated, Data: progress, key: "progress"}
}

// EventMeta is what an event carries besides its data and its position.
type EventMeta struct {
	PlanID     string
	By         string // the user who made the change; "" if not known
	MutationID string // "" if none
	Timestamp  time.Time
}

// EncodedEvent is an event encoded once, for everybody, which lacks only its position.
type EncodedEvent struct{ b []byte }

// positionBytes is reserved for the position: two keys, two numbers below 2^64, the closing brace.
const positionBytes = len(`,"seq":,"prev":}`) + 2*20

// envelopeBytes is what an event takes besides its type, plan, key, data and position.
const envelopeBytes = len(`{"type":"","planId":"","data":{"":},"timestamp":"2006-01-02T15:04:05.000Z"`)

// EncodeEvent encodes an event but for its position. maxBytes bounds the data. Errors: [ErrEventType], [ErrEventData],
// [ErrEventTooLarge].
func EncodeEvent(e Event, m EventMeta, maxBytes int) (EncodedEvent, error) {
	raw, err := e.encodeData(maxBytes)
	if err != nil {
		return EncodedEvent{}, err
	}
	size := envelopeBytes + len(e.Type) + len(m.PlanID) + len(e.key) + len(raw) + positionBytes
	if m.By != "" {
		size += len(`,"by":""`) + len(m.By)
	}
	if m.MutationID != "" {
		size += len(`,"mutationId":""`) + len(m.MutationID)
	}
	b := appendEnvelope(make([]byte, 0, size), e.Type, m.PlanID)
	b = e.appendData(b, raw)
	b = appendMeta(b, m)
	if cap(b)-len(b) < positionBytes { // ids that had to be escaped
		b = append(make([]byte, 0, len(b)+positionBytes), b...)
	}
	return EncodedEvent{b: b}, nil
}

// EncodeNotice encodes an event that is for one user rather than a plan: it has no position. Errors as [EncodeEvent].
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
	case json.RawMessage:
		raw, err = checkJSON(data, maxBytes)
	case []byte: // which encoding/json would encode as base64
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
	return raw, e.checkKey(raw)
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
	return b
}

// Splice completes the message with its position, in place. It may be called once; the result, and with it e, must not
// be modified afterwards.
func (e *EncodedEvent) Splice(seq, prev uint64) []byte {
	e.b = appendPosition(e.b, seq, prev)
	return e.b
}

func appendPosition(b []byte, seq, prev uint64) []byte {
	b = strconv.AppendUint(append(b, `,"seq":`...), seq, 10)
	b = strconv.AppendUint(append(b, `,"prev":`...), prev, 10)
	return append(b, '}')
}

// AppendReceipt appends the message that stands in an event's place for a client that the event excepts.
func AppendReceipt(dst []byte, m EventMeta, seq, prev uint64) []byte {
	return appendPosition(appendMeta(appendEnvelope(dst, TypeReceipt, m.PlanID), m), seq, prev)
}
