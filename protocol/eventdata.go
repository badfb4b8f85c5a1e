package protocol

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// eventKeys has the key that the data of each event type of the protocol must have.
var eventKeys = map[Type]string{
	TypeTaskUpdated:     "task",
	TypeTaskCreated:     "task",
	TypeTaskDeleted:     "taskId",
	TypeTaskReordered:   "taskIds",
	TypeProgressUpdated: "progress",
}

// checkData checks the data of the event types of the protocol: that it has the key of its type,
// which the constructors add, and that task IDs are valid.
func (e *Event) checkData(raw []byte) error {
	key := e.key
	if key == "" {
		if key = eventKeys[e.Type]; key == "" {
			return nil
		}
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil || members[key] == nil {
			return &dataError{fmt.Errorf("data of %s has no key %q; use the constructor of package protocol for this type", e.Type, key)}
		}
		raw = members[key]
	}
	switch {
	case key == "taskId" && !isTaskID(raw), key == "taskIds" && !areTaskIDs(raw):
		return ErrTaskID
	}
	return nil
}

// checkJSON returns data if it is JSON. It does not check data that is longer than maxBytes, which
// the caller refuses.
func checkJSON(data []byte, maxBytes int) ([]byte, error) {
	if len(data) <= maxBytes && !validValue(data) {
		return nil, ErrEventData
	}
	return data, nil
}

func encodeJSON(data any) ([]byte, error) {
	raw, err := marshal(data)
	switch {
	case err != nil:
		return nil, &dataError{err}
	case !utf8.Valid(raw): // encoding/json does not check it for json.RawMessage and json.Marshaler
		return nil, ErrEventData
	}
	return raw, nil
}

// dataError is ErrEventData with its cause.
type dataError struct{ err error }

func (e *dataError) Error() string   { return ErrEventData.Error() + ": " + e.err.Error() }
func (e *dataError) Unwrap() []error { return []error{ErrEventData, e.err} }
