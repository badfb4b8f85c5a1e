package main

import "github.com/planrooms/planrooms/protocol"

// place says where a message stands in regard to plans.
type place int

const (
	ofNoPlan place = iota
	ofPlan
	ofPlanOrNone
)

// message is one kind of message: an interface in TypeScript.
type message struct {
	name  string
	typ   protocol.Type
	place place
	since bool   // may carry a position to go on from
	data  string // a payload, or TypeScript; "" if the message has no data
	doc   string
	bare  bool // may come without a timestamp
}

// serverMessages is all that a server says but for events. Several kinds share a type: what is in data tells them apart.
var serverMessages = []message{
	{name: "HelloMessage", typ: protocol.TypePong, data: "Hello", doc: "Opens a connection: the server's first message."},
	{name: "PongMessage", typ: protocol.TypePong, doc: "Answers a ping."},
	{name: "JoinAnswerMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "JoinAnswer", doc: "Answers a join-plan."},
	{name: "JoinedMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "Joined", doc: "Tells that another user has come."},
	{name: "CountMessage", typ: protocol.TypeJoinPlan, place: ofPlan, data: "Count", doc: "Tells how many are in a crowded room."},
	{name: "LeaveAnswerMessage", typ: protocol.TypeLeavePlan, place: ofPlan, data: "LeaveAnswer", doc: "Answers a leave-plan."},
	{name: "LeftMessage", typ: protocol.TypeLeavePlan, place: ofPlan, data: "Left", doc: "Tells that another user has gone."},
	{name: "PresenceUpdatedMessage", typ: protocol.TypePresenceUpdated, place: ofPlan, data: "PresenceUpdated", doc: "Tells the presence state of a user."},
	{name: "AuthenticatedMessage", typ: protocol.TypeAuthenticate, data: "Authenticated", doc: "Answers an authenticate."},
	{name: "ResyncMessage", typ: protocol.TypeResync, place: ofPlan, data: "Resync", doc: "Asks to reload a plan."},
	{name: "ErrorMessage", typ: protocol.TypeError, place: ofPlanOrNone, data: "ErrorData", doc: "Refuses a request. It never closes the connection."},
	{name: "RemovedMessage", typ: protocol.TypeRemoved, place: ofPlan, data: "Removed", doc: "Tells that the connection is no longer in a plan."},
	{name: "GoodbyeMessage", typ: protocol.TypeGoodbye, data: "Goodbye", doc: "Announces a close. One that refuses a connection has no timestamp.", bare: true},
}

// clientMessages is all that a client says.
var clientMessages = []message{
	{name: "JoinPlan", typ: protocol.TypeJoinPlan, place: ofPlan, since: true, doc: "Enters a plan, or moves a connection that is in it."},
	{name: "LeavePlan", typ: protocol.TypeLeavePlan, place: ofPlan, doc: "Leaves a plan."},
	{name: "Ping", typ: protocol.TypePing, doc: "Asks for a sign of life."},
	{name: "Authenticate", typ: protocol.TypeAuthenticate, data: "{ token: string }", doc: "Brings a newer token of the same user."},
	{name: "UpdatePresence", typ: protocol.TypeUpdatePresence, place: ofPlan, data: "{ state: unknown }", doc: "Sets the presence state of the connection, at most 1,024 bytes of JSON; null clears it."},
}

// events is the events of the protocol. A parameter of the interface is what the host puts in.
var events = []struct {
	typ         protocol.Type
	constructor string // the function of package protocol, whose doc comment is that of the interface
	parameter   string
	data        string
}{
	{protocol.TypeTaskUpdated, "TaskUpdated", "Task", "{ task: Task }"},
	{protocol.TypeTaskCreated, "TaskCreated", "Task", "{ task: Task }"},
	{protocol.TypeTaskDeleted, "TaskDeleted", "", "{ taskId: string }"},
	{protocol.TypeTaskReordered, "TaskReordered", "", "{ taskIds: string[] }"},
	{protocol.TypeProgressUpdated, "ProgressUpdated", "Progress", "{ progress: Progress }"},
}

// others are types with a declaration of their own.
var others = []protocol.Type{protocol.TypeReceipt}

// parts are payloads that stand inside of others.
var parts = []string{"Position", "Participant"}

// renamed are payloads whose name means something else in JavaScript.
var renamed = map[string]string{"Error": "ErrorData"}

var errorCodes = []protocol.ErrorCode{
	protocol.ErrorBadMessage, protocol.ErrorUnknownType, protocol.ErrorBadPlanID, protocol.ErrorForbidden, protocol.ErrorUnavailable,
	protocol.ErrorNotJoined, protocol.ErrorBadToken, protocol.ErrorBadState, protocol.ErrorRateLimited, protocol.ErrorTooManyRooms,
}

// closeCodes tells for each code whether a goodbye may carry it.
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
