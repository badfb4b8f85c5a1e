package protocol

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Request is what a client asks of the server. Which fields count depends on
// the type; the others are empty after [DecodeRequest] and ignored by
// [EncodeRequest].
type Request struct {
	Type   Type
	PlanID string          // of join-plan, leave-plan, update-presence
	Since  *Position       // of join-plan: where to go on; nil for the end
	Token  string          // of authenticate
	State  json.RawMessage // of update-presence: JSON of at most MaxStateBytes; nil clears
}

// DecodeRequest reads one message of a client. The message is strict JSON, or
// it is refused: no key twice in one object at any depth, no nesting above
// [MaxDepth], nothing after it, valid UTF-8, at most [MaxMessageBytes]. Keys are
// matched case-sensitively; members that the type does not have are ignored.
//
// The error is always a [*RequestError]. The result shares no memory with b.
func DecodeRequest(b []byte) (Request, error) {
	if len(b) > MaxMessageBytes {
		return Request{}, &RequestError{Code: ErrorBadMessage, Message: "the message is too long"}
	}
	if _, f := scan(b, MaxDepth, keysUnique); f != faultNone {
		return Request{}, &RequestError{Code: ErrorBadMessage, Message: f.String()}
	}
	var e requestEnvelope
	if !e.read(b) {
		return Request{}, &RequestError{Code: ErrorBadMessage, Message: "the message has no type"}
	}
	r, refused := e.request()
	if refused != nil {
		return Request{}, refused
	}
	return r, nil
}

// requestEnvelope holds the raw members of a request; nil for those absent.
type requestEnvelope struct {
	kind                Type
	planID, since, data []byte
}

// read reports false if the message is no object with a type.
func (e *requestEnvelope) read(b []byte) bool {
	w, ok := walk(b)
	if !ok {
		return false
	}
	for {
		name, value, more := w.next()
		if !more {
			return e.kind != ""
		}
		switch string(name) {
		case "type":
			e.kind, _ = typeValue(value)
		case "planId":
			e.planID = value
		case "since":
			e.since = value
		case "data":
			e.data = value
		}
	}
}

// request reads the members that the type has.
func (e *requestEnvelope) request() (Request, *RequestError) {
	r := Request{Type: e.kind}
	switch e.kind {
	case TypeJoinPlan, TypeLeavePlan, TypeUpdatePresence:
		var ok bool
		if e.planID != nil {
			r.PlanID, ok = stringValue(e.planID)
		}
		if !ok {
			return r, refuse(ErrorBadPlanID, r.Type)
		}
	}
	switch e.kind {
	case TypeJoinPlan:
		if e.since != nil && !isNull(e.since) {
			p, ok := positionValue(e.since)
			if !ok && ValidPlanID(r.PlanID) {
				return r, badSince(r.Type)
			}
			r.Since = &p
		}
	case TypeAuthenticate:
		if token := member(e.data, "token"); token != nil {
			r.Token, _ = stringValue(token)
		}
	case TypeUpdatePresence:
		state := member(e.data, "state")
		switch {
		case !ValidPlanID(r.PlanID): // refused below
		case state == nil || len(state) > MaxStateBytes:
			return r, refuse(ErrorBadState, r.Type)
		case !isNull(state):
			r.State = bytes.Clone(state)
		}
	}
	return r, r.check()
}

// member returns the value of one member of data, nil if there is none or
// data is no object.
func member(data []byte, name string) []byte {
	w, ok := walk(data)
	for ok {
		var key, value []byte
		if key, value, ok = w.next(); ok && string(key) == name {
			return value
		}
	}
	return nil
}

// check applies what holds in both directions. The syntax of State is
// scan's matter.
func (r *Request) check() *RequestError {
	switch r.Type {
	case TypePing:
		return nil
	case TypeAuthenticate:
		if r.Token == "" || len(r.Token) > MaxTokenBytes || !utf8.ValidString(r.Token) {
			return refuse(ErrorBadToken, r.Type)
		}
		return nil
	case TypeJoinPlan, TypeLeavePlan, TypeUpdatePresence:
	default:
		return refuse(ErrorUnknownType, r.Type)
	}
	if !ValidPlanID(r.PlanID) {
		return refuse(ErrorBadPlanID, r.Type)
	}
	switch {
	case r.Type == TypeJoinPlan && r.Since != nil && !r.Since.Valid():
		return badSince(r.Type)
	case r.Type == TypeUpdatePresence && len(r.State) > MaxStateBytes:
		return refuse(ErrorBadState, r.Type)
	}
	return nil
}

func badSince(re Type) *RequestError {
	return &RequestError{Code: ErrorBadMessage, Re: re, Message: "since must be a position: {epoch, seq}"}
}

// EncodeRequest writes one message of a client. What the server would refuse to
// read is refused here, with the [*RequestError] it would answer.
func EncodeRequest(r Request) ([]byte, error) {
	r.State = trimSpace(r.State)
	if refused := r.check(); refused != nil {
		return nil, refused
	}
	b := appendHead(make([]byte, 0, 128+len(r.Token)+len(r.State)), r.Type, "")
	switch r.Type {
	case TypeJoinPlan, TypeLeavePlan, TypeUpdatePresence:
		b = appendField(b, "planId", r.PlanID)
	}
	switch r.Type {
	case TypeJoinPlan:
		if r.Since != nil {
			b = append(b, `,"since":`...)
			b = appendPosition(b, *r.Since)
		}
	case TypeAuthenticate:
		b = append(b, `,"data":{"token":`...)
		b = append(appendString(b, r.Token), '}')
	case TypeUpdatePresence:
		b = append(b, `,"data":{"state":`...)
		if len(r.State) == 0 {
			b = append(b, "null"...)
		} else if _, f := scan(r.State, MaxDepth-2, keysUnique); f != faultNone {
			return nil, refuse(ErrorBadState, r.Type)
		}
		b = append(append(b, r.State...), '}')
	}
	b = append(b, '}')
	if len(b) > MaxMessageBytes {
		return nil, &RequestError{Code: ErrorBadMessage, Re: r.Type, Message: "the message is too long"}
	}
	return b, nil
}
