package protocol

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// eventKeys are the keys under which the data of the protocol's own events has its content.
var eventKeys = map[Type]string{
	TypeTaskUpdated:     "task",
	TypeTaskCreated:     "task",
	TypeTaskDeleted:     "taskId",
	TypeTaskReordered:   "taskIds",
	TypeProgressUpdated: "progress",
}

// checkKey reports data that lacks the key of its type: clients would find no task in it. The
// constructors add the key.
func (e *Event) checkKey(raw []byte) error {
	key := eventKeys[e.Type]
	if e.key != "" || key == "" {
		return nil
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) == nil && members[key] != nil {
		return nil
	}
	return &dataError{fmt.Errorf("data of %s has no key %q; use the function of package protocol for this type", e.Type, key)}
}

// checkJSON returns data, which has to be JSON. Data over maxBytes is not looked at.
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
	case !utf8.Valid(raw): // encoding/json does not check what a json.RawMessage or a MarshalJSON inside returns
		return nil, ErrEventData
	}
	return raw, nil
}

// dataError is [ErrEventData] with its cause.
type dataError struct{ err error }

func (e *dataError) Error() string   { return ErrEventData.Error() + ": " + e.err.Error() }
func (e *dataError) Unwrap() []error { return []error{ErrEventData, e.err} }
