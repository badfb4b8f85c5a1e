package protocol

import (
	"encoding/json"
	"unicode/utf8"
)

// Request is a message from a client.
type Request struct {
	Type   Type
	PlanID string          // join-plan, leave-plan, update-presence
	Since  *Position       // join-plan; nil if the client has no position
	Token  string          // authenticate
	State  json.RawMessage // update-presence; nil clears the state
}

// DecodeRequest decodes a message from a client. It ignores unknown fields. It refuses messages
// that are longer than [MaxMessageBytes], are not one JSON object in valid UTF-8, have duplicate
// keys in any object, or are nested deeper than [MaxDepth]. The result does not retain b.
//
// Every error is a *[RequestError]. The returned request then has the fields that are valid.
func DecodeRequest(b []byte) (Request, error) {
	var q Request
	var typ, planID, since, token, state []byte
	s := scanner{b: b, maxDepth: MaxDepth, unique: true, uniqueBelow: true}
	ok := len(b) <= MaxMessageBytes && utf8.Valid(b) && s.object(func(key string, value []byte) bool {
		switch key {
		case "type":
			typ = value
		case "planId":
			planID = value
		case "since":
			since = value
		case "data":
			if len(value) > 0 && value[0] == '{' {
				d := scanner{b: value, maxDepth: MaxDepth}
				d.object(func(key string, value []byte) bool {
					switch key {
					case "token":
						token = value
					case "state":
						state = value
					}
					return true
				})
			}
		}
		return true
	})
	refuse := func(code ErrorCode, text string) (Request, error) {
		return q, &RequestError{Code: code, Re: q.Type, PlanID: q.PlanID, Message: text}
	}
	if !ok {
		return refuse(ErrorBadMessage, "message is not a valid JSON object")
	}
	name, ok := stringOf(typ)
	if !ok || name == "" {
		return refuse(ErrorBadMessage, "type is missing or not a string")
	}
	q.Type = Type(clip(name))
	id, ok := stringOf(planID)
	if ok = ok && ValidPlanID(id); ok {
		q.PlanID = id
	}
	switch q.Type {
	case TypePing, TypeAuthenticate:
		q.PlanID = ""
	case TypeJoinPlan, TypeLeavePlan, TypeUpdatePresence:
		if !ok {
			return refuse(ErrorBadPlanID, "planId is missing or not valid")
		}
	default:
		return refuse(ErrorUnknownType, "unknown message type")
	}
	switch q.Type {
	case TypeJoinPlan:
		if since != nil && string(since) != "null" {
			if q.Since, ok = sinceOf(since); !ok {
				q.Since = nil
				return refuse(ErrorBadMessage, "since is not a position")
			}
		}
	case TypeAuthenticate:
		if q.Token, ok = stringOf(token); !ok || q.Token == "" || len(q.Token) > MaxTokenBytes {
			q.Token = ""
			return refuse(ErrorBadToken, "token is missing, not a string or too long")
		}
	case TypeUpdatePresence:
		if state == nil || len(state) > MaxStateBytes {
			return refuse(ErrorBadState, "state is missing or too long")
		}
		if string(state) != "null" {
			q.State = append(json.RawMessage(nil), state...)
		}
	}
	return q, nil
}

// clip shortens a type to at most [MaxTypeBytes], for use in an error.
func clip(name string) string {
	if len(name) <= MaxTypeBytes {
		return name
	}
	n := MaxTypeBytes
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n]
}

// sinceOf parses a position.
func sinceOf(value []byte) (*Position, bool) {
	var p Position
	var epoch, seq bool
	s := scanner{b: value, maxDepth: MaxDepth}
	ok := s.object(func(key string, value []byte) bool {
		switch key {
		case "epoch":
			p.Epoch, epoch = stringOf(value)
		case "seq":
			p.Seq, seq = seqOf(value)
		}
		return true
	})
	return &p, ok && epoch && seq && p.Valid()
}

// EncodeRequest encodes a message from a client. It returns [ErrEventData] if the state is not
// valid JSON in UTF-8. It does not check the other fields.
func EncodeRequest(q Request) ([]byte, error) {
	b := appendEnvelope(make([]byte, 0, 128), q.Type, q.PlanID)
	if q.Since != nil {
		raw, err := marshal(q.Since)
		if err != nil {
			return nil, err
		}
		b = append(append(b, `,"since":`...), raw...)
	}
	switch q.Type {
	case TypeAuthenticate:
		b = append(appendString(append(b, `,"data":{"token":`...), q.Token), '}')
	case TypeUpdatePresence:
		state := q.State
		if state == nil {
			state = json.RawMessage("null")
		}
		if !utf8.Valid(state) || !json.Valid(state) {
			return nil, ErrEventData
		}
		b = append(append(append(b, `,"data":{"state":`...), state...), '}')
	}
	return append(b, '}'), nil
}
