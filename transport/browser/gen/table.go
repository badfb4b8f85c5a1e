package main

import "github.com/planrooms/planrooms/protocol"

// place is the relation of a message to plans.
type place int

const (
	ofNoPlan place = iota
	ofPlan
	ofPlanOrNone
)

// message is a kind of message, which becomes an interface in TypeScript.
type message struct {
	name  string
	typ   protocol.Type
	place place
	since bool   // may have the last position of the client
	data  string // a payload, or TypeScript; "" if the message has no data
	doc   string
	bare  bool // may have no timestamp
}

// serverMessages has the messages from the server other than events. Kinds that share a type differ
// in their data.
var serverMessages = []message{
	{name: "HelloMessage", typ: protocol.TypePong, data: "Hello", doc: "The first message of a connection."},
	{name: "PongMessage", typ: protocol.TypePong, doc: "The answer to a ping."},
	{name: "JoinAnswerMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "JoinAnswer", doc: "The answer to a join-plan."},
	{name: "JoinedMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "Joined", doc: "Another user has joined, or has a new name."},
	{name: "CountMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "Count", doc: "The number of participants in a crowded room."},
	{name: "LeaveAnswerMessage", typ: protocol.TypeLeavePlan, place: ofPlan, data: "LeaveAnswer", doc: "The answer to a leave-plan."},
	{name: "LeftMessage", typ: protocol.TypeLeavePlan, place: ofPlan, data: "Left", doc: "Another user has left."},
	{name: "PresenceUpdatedMessage", typ: protocol.TypePresenceUpdated, place: ofPlan, data: "PresenceUpdated", doc: "The presence state of a user."},
	{name: "AuthenticatedMessage", typ: protocol.TypeAuthenticate, data: "Authenticated", doc: "The answer to an authenticate."},
	{name: "ResyncMessage", typ: protocol.TypeResync, place: ofPlan, data: "Resync", doc: "The client must reload a plan."},
	{name: "ErrorMessage", typ: protocol.TypeError, place: ofPlanOrNone, data: "ErrorData", doc: "The server refuses a request. The connection stays open."},
	{name: "RemovedMessage", typ: protocol.TypeRemoved, place: ofPlan, data: "Removed", doc: "The server has removed the connection from a plan."},
	{name: "GoodbyeMessage", typ: protocol.TypeGoodbye, data: "Goodbye", doc: "Announces a close. It has no timestamp if the server refuses the connection.", bare: true},
}

// clientMessages has the messages from the client.
var clientMessages = []message{
	{name: "JoinPlan", typ: protocol.TypeJoinPlan, place: ofPlan, since: true, doc: "Joins a plan, or changes the position of a connection in it."},
	{name: "LeavePlan", typ: protocol.TypeLeavePlan, place: ofPlan, doc: "Leaves a plan."},
	{name: "Ping", typ: protocol.TypePing, doc: "Checks the connection."},
	{name: "Authenticate", typ: protocol.TypeAuthenticate, data: "{ token: string }", doc: "Renews the token. It must be of the same user."},
	{name: "UpdatePresence", typ: protocol.TypeUpdatePresence, place: ofPlan, data: "{ state: unknown }", doc: "Sets the presence state of the connection, at most 1,024 bytes of JSON; null clears it."},
}

// events has the events of the protocol. The parameter of an interface is the type of the data of
// the host, with its default.
var events = []struct {
	typ protocol.Type
	// constructor is a function of package protocol. Its doc comment becomes that of the interface.
	constructor string
	parameter   string
	data        string
}{
	{protocol.TypeTaskUpdated, "TaskUpdated", "Task = unknown", "{ task: Task }"},
	{protocol.TypeTaskCreated, "TaskCreated", "Task = unknown", "{ task: Task }"},
	{protocol.TypeTaskDeleted, "TaskDeleted", "Id extends TaskId = string", "{ taskId: Id }"},
	{protocol.TypeTaskReordered, "TaskReordered", "Id extends TaskId = string", "{ taskIds: Id[] }"},
	{protocol.TypeProgressUpdated, "ProgressUpdated", "Progress = unknown", "{ progress: Progress }"},
}

// others are types with a separate declaration.
var others = []protocol.Type{protocol.TypeReceipt}

// parts are payloads that occur within other payloads.
var parts = []string{"Position", "Participant", "EventVersion"}

// renamed has new names for payloads whose name has a meaning in JavaScript.
var renamed = map[string]string{"Error": "ErrorData"}

var errorCodes = []protocol.ErrorCode{
	protocol.ErrorBadMessage, protocol.ErrorUnknownType, protocol.ErrorBadPlanID, protocol.ErrorForbidden, protocol.ErrorUnavailable,
	protocol.ErrorNotJoined, protocol.ErrorBadToken, protocol.ErrorBadState, protocol.ErrorRateLimited, protocol.ErrorTooManyRooms,
}

// closeCodes has the close codes, and whether a goodbye may have them.
var closeCodes = map[protocol.CloseCode]bool{
	protocol.CloseNormal:          false,
	protocol.CloseGoingAway:       false,
	protocol.CloseProtocolError:   false,
	protocol.CloseUnsupportedData: true,
	protocol.CloseNoStatus:        false,
	protocol.CloseAbnormal:        false,
	protocol.CloseInvalidPayload:  true,
	protocol.CloseTooBig:          true,
	protocol.CloseBadRequest:      true,
	protocol.CloseUnauthorized:    true,
	protocol.CloseForbidden:       true,
	protocol.CloseTimeout:         true,
	protocol.CloseReplaced:        true,
	protocol.CloseRateLimited:     true,
	protocol.CloseInternal:        true,
	protocol.CloseShutdown:        true,
	protocol.CloseTooSlow:         true,
}
