package protocol

import "errors"

// Errors of [EncodeEvent], [EncodeNotice] and [Decode]. Compare with [errors.Is].
var (
	// ErrEventType is returned for a type that is empty, too long, not printable, or one of the protocol's own.
	ErrEventType = errors.New("protocol: not a type for an event")
	// ErrEventData is returned for data that is not JSON, is not valid UTF-8, or lacks the key of its
	// type.
	ErrEventData = errors.New("protocol: invalid event data")
	// ErrEventTooLarge is returned for data over the limit.
	ErrEventTooLarge = errors.New("protocol: event data too large")
	// ErrMalformed is returned by [Decode] for what is no message of a server.
	ErrMalformed = errors.New("protocol: malformed message")
)

// ErrorCode says why a request was refused. It never closes the connection.
type ErrorCode string

// The codes of an error message.
const (
	ErrorBadMessage   ErrorCode = "bad_message"    // no JSON object as the protocol wants it
	ErrorUnknownType  ErrorCode = "unknown_type"   // a type that no client sends
	ErrorBadPlanID    ErrorCode = "bad_plan_id"    // planId is missing, not a string, or not valid
	ErrorForbidden    ErrorCode = "forbidden"      // no such plan, or not for this user
	ErrorUnavailable  ErrorCode = "unavailable"    // it could not be found out; try again
	ErrorNotJoined    ErrorCode = "not_joined"     // the connection is not in the plan
	ErrorBadToken     ErrorCode = "bad_token"      // the token is missing, invalid, expired or another user's
	ErrorBadState     ErrorCode = "bad_state"      // the state is missing or too long
	ErrorRateLimited  ErrorCode = "rate_limited"   // too many messages
	ErrorTooManyRooms ErrorCode = "too_many_rooms" // the connection is in as many plans as it may be
)

// RequestError tells why a message of a client was refused. It is what [DecodeRequest] returns.
type RequestError struct {
	Code    ErrorCode
	Re      Type   // the refused type, at most 64 bytes of it; "" if it could not be read
	PlanID  string // the plan that was named, if it was a valid one
	Message string // a fixed text; nothing that the client sent is repeated in it
}

func (e *RequestError) Error() string {
	return "protocol: " + string(e.Code) + ": " + e.Message
}
