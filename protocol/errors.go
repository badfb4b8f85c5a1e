package protocol

import (
	"errors"
	"unicode/utf8"
)

var (
	// ErrMalformed is what [Decode] and [Message.UnmarshalData] return for
	// bytes that are no message of this protocol.
	ErrMalformed = errors.New("protocol: malformed message")
	// ErrEventTooLarge is what [EncodeEvent] and [EncodeNotice] return for
	// data above the caller's limit.
	ErrEventTooLarge = errors.New("protocol: event data too large")
	// ErrEventType is what [EncodeEvent] and [EncodeNotice] return for a type
	// that is empty, reserved, longer than [MaxTypeBytes] or not plain text.
	ErrEventType = errors.New("protocol: event type not allowed")
	// ErrEventData is what [EncodeEvent], [EncodeNotice] and [Encode] return
	// for data that cannot be encoded or is not valid JSON in UTF-8.
	ErrEventData = errors.New("protocol: data is not valid JSON")
)

// ErrorCode says why a request was refused. An error never closes the
// connection. A client treats a code it does not know like
// [ErrorUnavailable].
type ErrorCode string

// The codes of an error message.
const (
	ErrorBadMessage   ErrorCode = "bad_message"    // not strict JSON, no type, or a malformed position
	ErrorUnknownType  ErrorCode = "unknown_type"   // no request of this protocol
	ErrorBadPlanID    ErrorCode = "bad_plan_id"    // planId missing, no string, or not a valid id
	ErrorForbidden    ErrorCode = "forbidden"      // no such plan, or not for this user
	ErrorUnavailable  ErrorCode = "unavailable"    // permission could not be checked; try again later
	ErrorNotJoined    ErrorCode = "not_joined"     // this connection is not in that plan
	ErrorBadToken     ErrorCode = "bad_token"      // token missing, invalid, expired or another user's
	ErrorBadState     ErrorCode = "bad_state"      // presence state missing or too long
	ErrorRateLimited  ErrorCode = "rate_limited"   // too many messages; this one was not acted upon
	ErrorTooManyRooms ErrorCode = "too_many_rooms" // this connection is in as many plans as it may be
)

// Message returns the fixed text that goes with the code, for people. It
// repeats nothing of the request.
func (c ErrorCode) Message() string {
	switch c {
	case ErrorBadMessage:
		return "the message could not be read"
	case ErrorUnknownType:
		return "no request has this type"
	case ErrorBadPlanID:
		return "planId must be a string of 1 to 128 bytes without control characters"
	case ErrorForbidden:
		return "there is no such plan for you"
	case ErrorUnavailable:
		return "permission could not be checked, try again later"
	case ErrorNotJoined:
		return "this connection has not joined that plan"
	case ErrorBadToken:
		return "the token is missing, invalid or expired"
	case ErrorBadState:
		return "data.state must be JSON of at most 1024 bytes, or null"
	case ErrorRateLimited:
		return "too many messages, slow down"
	case ErrorTooManyRooms:
		return "this connection has joined too many plans"
	default:
		return "the request was refused"
	}
}

// Payload returns the data of an error message with this code and its fixed
// text. Of re, the type of the refused request, at most [MaxTypeBytes] bytes
// are repeated.
func (c ErrorCode) Payload(re Type) Error {
	return Error{Code: c, Message: c.Message(), Re: re.truncate()}
}

// RequestError is why a request cannot be read. It is what the client is told:
// none of its texts repeats the request, except Re.
type RequestError struct {
	Code    ErrorCode
	Re      Type   // type of the refused request, at most MaxTypeBytes; "" if it could not be read
	Message string // fixed text, for people
}

// Error returns the code and the text.
func (e *RequestError) Error() string {
	return "protocol: " + string(e.Code) + ": " + e.Message
}

// Payload returns the data of the error message that answers the request.
func (e *RequestError) Payload() Error {
	return Error{Code: e.Code, Message: e.Message, Re: e.Re}
}

// refuse makes the error of a request whose type could be read.
func refuse(code ErrorCode, re Type) *RequestError {
	return &RequestError{Code: code, Re: re.truncate(), Message: code.Message()}
}

// truncate cuts an overlong type at a rune boundary.
func (t Type) truncate() Type {
	if len(t) <= MaxTypeBytes {
		return t
	}
	end := MaxTypeBytes
	for end > 0 && !utf8.RuneStart(t[end]) {
		end--
	}
	return t[:end]
}
