package protocol

import "errors"

// Errors of [EncodeEvent], [EncodeNotice] and [Decode]. Compare with [errors.Is].
var (
	// ErrEventType means that the type is empty, longer than [MaxTypeBytes], not printable or
	// reserved.
	ErrEventType = errors.New("protocol: invalid event type")
	// ErrEventData means that the data cannot be encoded, is not JSON in valid UTF-8, or lacks the
	// key of its type.
	ErrEventData = errors.New("protocol: invalid event data")
	// ErrTaskID means that a task ID is neither a string nor an integer from -(2^53-1) to 2^53-1 (a
	// JavaScript number represents these exactly), or that task IDs are not a list of these.
	ErrTaskID = errors.New("protocol: invalid task id")
	// ErrEventTooLarge means that the data is longer than the limit.
	ErrEventTooLarge = errors.New("protocol: event data too large")
	// ErrEventVersion means that the version has a bad key or number.
	ErrEventVersion = errors.New("protocol: invalid event version")
	// ErrMalformed means that the bytes are not a message from a server.
	ErrMalformed = errors.New("protocol: malformed message")
)

// ErrorCode is the reason why the server refused a request. An error never closes the connection.
type ErrorCode string

// Error codes.
const (
	ErrorBadMessage   ErrorCode = "bad_message"    // not a valid JSON object, or a malformed field
	ErrorUnknownType  ErrorCode = "unknown_type"   // unknown message type
	ErrorBadPlanID    ErrorCode = "bad_plan_id"    // planId is missing, not a string, or not valid
	ErrorForbidden    ErrorCode = "forbidden"      // no such plan, or no access to it
	ErrorUnavailable  ErrorCode = "unavailable"    // access could not be checked; try again
	ErrorNotJoined    ErrorCode = "not_joined"     // connection is not in the plan
	ErrorBadToken     ErrorCode = "bad_token"      // token is missing, invalid, expired or another user's
	ErrorBadState     ErrorCode = "bad_state"      // state is missing or too long
	ErrorRateLimited  ErrorCode = "rate_limited"   // too many messages
	ErrorTooManyRooms ErrorCode = "too_many_rooms" // too many plans on the connection
)

// RequestError is the error of [DecodeRequest]. Its fields are those of an error message to the
// client.
type RequestError struct {
	Code    ErrorCode
	Re      Type   // type of the message, cut to [MaxTypeBytes]; "" if it could not be read
	PlanID  string // plan of the message; "" if it is missing or invalid
	Message string // fixed text, without input from the client
}

func (e *RequestError) Error() string {
	return "protocol: " + string(e.Code) + ": " + e.Message
}
