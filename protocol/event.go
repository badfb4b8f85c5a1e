package protocol

import (
	"fmt"
	"strconv"
	"time"
)

// Event is a change of a plan that a host tells its viewers. The functions
// below make the events of the protocol; a host makes its own kinds with a
// literal:
//
//	protocol.Event{Type: "acme.note-added", Data: note}
//
// Data is anything encoding/json encodes. A [encoding/json.RawMessage] is
// passed through as it is. Nil Data is left out of the message.
type Event struct {
	Type Type
	Data any

	// key is the member that Data becomes, "" if Data is the whole. It is
	// kept apart so that wrapping costs no second encoding.
	key string
}

// TaskUpdated is the event of a changed task.
func TaskUpdated(task any) Event {
	return Event{Type: TypeTaskUpdated, Data: task, key: "task"}
}

// TaskCreated is the event of a new task.
func TaskCreated(task any) Event {
	return Event{Type: TypeTaskCreated, Data: task, key: "task"}
}

// TaskDeleted is the event of a task that is gone.
func TaskDeleted(taskID string) Event {
	return Event{Type: TypeTaskDeleted, Data: taskID, key: "taskId"}
}

// TaskReordered is the event of a new order of tasks.
func TaskReordered(taskIDs []string) Event {
	return Event{Type: TypeTaskReordered, Data: taskIDs, key: "taskIds"}
}

// ProgressUpdated is the event of a plan's changed progress.
func ProgressUpdated(progress any) Event {
	return Event{Type: TypeProgressUpdated, Data: progress, key: "progress"}
}

// EventMeta is what an event carries beside its content. Empty fields are
// left out of the message.
type EventMeta struct {
	PlanID     string
	By         string // id of the user who caused it
	MutationID string
	Timestamp  time.Time
}

// positionBytes is the room that [EncodedEvent.Splice] and the end of the
// message need: two members with up to 20 digits each, and a brace.
const positionBytes = len(`,"seq":`) + 20 + len(`,"prev":`) + 20 + len(`}`)

// EncodedEvent is an event encoded once, for everybody, before its position is
// known. It is not safe for concurrent use; the bytes that Splice returns are.
type EncodedEvent struct {
	b    []byte // up to Splice without the end, but with the capacity for it
	done bool
}

// EncodeEvent encodes e. The JSON of its Data, without what it is wrapped in,
// may have maxBytes; 0 is no limit.
//
// The error is or wraps [ErrEventType], [ErrEventTooLarge] or [ErrEventData].
// The result shares no memory with e.
func EncodeEvent(e Event, m EventMeta, maxBytes int) (*EncodedEvent, error) {
	b, err := e.encode(m, maxBytes)
	if err != nil {
		return nil, err
	}
	return &EncodedEvent{b: b}, nil
}

// EncodeNotice encodes e as a private notice: a message that belongs to no
// plan and has no position. Errors and maxBytes are those of [EncodeEvent].
func EncodeNotice(e Event, at time.Time, maxBytes int) ([]byte, error) {
	b, err := e.encode(EventMeta{Timestamp: at}, maxBytes)
	if err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// Splice completes the message with its position and returns it. It allocates
// nothing. Only the first call counts: a later one returns the same bytes.
// Nobody may modify them.
func (e *EncodedEvent) Splice(seq, prev uint64) []byte {
	if !e.done {
		e.b = appendEnd(e.b, seq, prev)
		e.done = true
	}
	return e.b
}

// Size returns an upper bound of the length of the complete message, which is
// also what it takes of memory.
func (e *EncodedEvent) Size() int {
	return cap(e.b)
}

// AppendReceipt appends the receipt of an event: its place in the order without
// its content, for those whom it excepts.
func AppendReceipt(dst []byte, m EventMeta, seq, prev uint64) []byte {
	dst = appendHead(dst, TypeReceipt, m.PlanID)
	dst = m.append(dst)
	return appendEnd(dst, seq, prev)
}

// encode returns the message without its end, with the capacity for it.
func (e *Event) encode(m EventMeta, maxBytes int) ([]byte, error) {
	if e.Type.Reserved() || !validText(string(e.Type), MaxTypeBytes) {
		return nil, fmt.Errorf("%w: %.*q", ErrEventType, MaxTypeBytes, e.Type)
	}
	data, err := marshal(e.Data)
	if err != nil {
		return nil, err
	}
	if maxBytes > 0 && len(data) > maxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrEventTooLarge, len(data), maxBytes)
	}
	if data != nil {
		if err := checkData(data); err != nil {
			return nil, err
		}
	} else if e.key != "" {
		data = []byte("null")
	}

	// Head and tail are made on the stack to know the exact size: events stay
	// in memory as history, and a buffer that grew would keep its slack.
	var headSpace, tailSpace [256]byte
	head := appendHead(headSpace[:0], e.Type, m.PlanID)
	tail := tailSpace[:0]
	if data != nil {
		head = append(head, `,"data":`...)
		if e.key != "" {
			head = append(head, '{', '"')
			head = append(head, e.key...)
			head = append(head, '"', ':')
			tail = append(tail, '}')
		}
	}
	tail = m.append(tail)
	b := make([]byte, 0, len(head)+len(data)+len(tail)+positionBytes)
	b = append(b, head...)
	b = append(b, data...)
	return append(b, tail...), nil
}

// append appends what an event and its receipt have in common behind the data.
func (m *EventMeta) append(dst []byte) []byte {
	dst = appendTimestamp(dst, m.Timestamp)
	dst = appendField(dst, "by", m.By)
	return appendField(dst, "mutationId", m.MutationID)
}

func appendEnd(dst []byte, seq, prev uint64) []byte {
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, seq, 10)
	dst = append(dst, `,"prev":`...)
	dst = strconv.AppendUint(dst, prev, 10)
	return append(dst, '}')
}
