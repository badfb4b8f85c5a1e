package room

import (
	"context"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Observer has functions that a [Hub] calls for metrics and audit. Every function is optional.
//
// The hub calls them outside all locks and concurrently, and waits until they return, which should
// be soon. A panic in a function is logged and closes the connection that the call is about (4500).
// runtime.Goexit closes it, too. For one connection and plan, the hub calls Join first, and Leave
// exactly once after it. Calls that are not about one connection run in the goroutine that handles
// the event; the others run in a separate goroutine.
//
// Fields may be added to the structs that the functions get.
type Observer struct {
	// Connect is called for a new connection, before its first message.
	Connect func(ConnectionInfo)
	// Disconnect is called once for each Connect.
	Disconnect func(DisconnectInfo)
	// Join is called when a connection has entered a room.
	Join func(JoinInfo)
	// Leave is called when a connection has left a room.
	Leave func(LeaveInfo)
	// Denied is called when a join was refused.
	Denied func(DenialInfo)
	// Rechecked is called after each check of a member: at regular times, after a renewal of its
	// token, and for [Hub.Recheck]. It is also called for a member that is removed because no check
	// was completed in time. For a member that was removed, it is called after Leave.
	Rechecked func(RecheckInfo)
	// Broadcast is called for each event that got a position, in the goroutine of the broadcast and
	// with its context.
	Broadcast func(context.Context, BroadcastInfo)
	// Notified is called for each event of [Hub.Notify], in the goroutine of the call and with its
	// context. For events of calls on other nodes it is called one after the other, in a goroutine
	// of the hub and without the context. While 256 of them wait for it, further ones are dropped.
	Notified func(context.Context, NotifyInfo)
	// Delivered is called after each pass of a pump: it has offered the same entries of a plan to
	// up to 1,024 connections. Pumps are the hot path: a slow function delays all deliveries.
	Delivered func(DeliveryInfo)
	// Resync is called when a connection missed events and the hub sends it resync.
	Resync func(ResyncInfo)
	// ResumeFailed is called after Join when a client could not resume from its position: the
	// answer to its join has recovered false, and the client loads the plan.
	ResumeFailed func(ResumeInfo)
	// Slow is called when a connection's socket is full and what it misses waits in the log.
	Slow func(ConnectionInfo)
	// Evicted is called when the history of a plan was dropped because of Options.HistoryTotal. With
	// an Engine it is called one after the other, in a goroutine of the hub. While 4,096 calls wait
	// for it, further ones are dropped; Stats.Evicted counts their events all the same.
	Evicted func(EvictionInfo)
	// Refused is called for each request that a transport did not serve, before the answer is
	// written. See [Hub.ReportRefusal].
	Refused func(RefusalInfo)
}

// ConnectionInfo names a connection.
type ConnectionInfo struct {
	ID          string
	ClientID    string
	UserID      string
	RemoteAddr  string // as the transport gave it
	ConnectedAt time.Time
}

// DisconnectInfo describes the end of a connection.
type DisconnectInfo struct {
	Connection ConnectionInfo
	// Code is the close code of the server or of the peer. 1006 means that the peer sent none.
	Code protocol.CloseCode
}

// JoinInfo describes a connection that has entered a room.
type JoinInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Recovered  bool              // it resumed
	Position   protocol.Position // of the plan at the join
}

// LeaveInfo describes a connection that has left a room.
type LeaveInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Reason     LeaveReason
}

// LeaveReason is why a connection has left a room.
type LeaveReason string

// The values of LeaveReason.
const (
	LeaveRequested   LeaveReason = "requested"   // the client sent leave-plan
	LeaveClosed      LeaveReason = "closed"      // the connection ends; see Observer.Disconnect
	LeaveRevoked     LeaveReason = "revoked"     // the host ended the access, for example with Hub.Revoke
	LeaveForbidden   LeaveReason = "forbidden"   // Authorize returned ErrForbidden or ErrUnauthenticated
	LeaveUnconfirmed LeaveReason = "unconfirmed" // no check was completed in time; see Options.RemoveAfter
)

// DenialInfo describes a join that was refused.
type DenialInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Err        error // [ErrForbidden], [ErrUnauthenticated], or why access could not be checked
}

// BroadcastInfo describes an event that got a position.
type BroadcastInfo struct {
	PlanID     string
	Type       protocol.Type
	Position   protocol.Position
	By         string // the user of option [By]; "" if none
	MutationID string // of option [Mutation]; "" if none
	// Timestamp is that of the message: when the call of Broadcast or BroadcastBatch began. The
	// Observer is called when the call ends.
	Timestamp  time.Time
	Bytes      int // of the message, without framing
	Recipients int // connections in the room, including those that get a receipt
}

// NotifyInfo describes an event of [Hub.Notify].
type NotifyInfo struct {
	UserID  string
	Type    protocol.Type
	Bytes   int // of the message, without framing
	Queued  int // connections for which it was queued
	Dropped int // connections for which it was dropped, since too much waited for them
}

// DeliveryInfo describes one pass of a pump.
type DeliveryInfo struct {
	PlanID      string
	Events      int
	Bytes       int // of the events, without framing
	Connections int // to which they were offered
	Late        int // of these, those that did not take all at once; they get the rest later
	// Lag is the time from the first of the events being appended until the pass ended; 0 if there
	// was no event, but only notices.
	Lag time.Duration
}

// ResyncInfo describes a connection that missed events.
type ResyncInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Position   protocol.Position // where its events continue
}

// EvictionInfo describes history that was dropped because of Options.HistoryTotal.
type EvictionInfo struct {
	PlanID string
	Events int
}

// ResumeInfo describes a join that could not resume.
type ResumeInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Since      protocol.Position // the position that the client requested
	Position   protocol.Position // the end of the room's history, where the client continues
	Reason     ResumeReason
}

// ResumeReason is why a client could not resume.
type ResumeReason string

// The values of ResumeReason.
const (
	// ResumeOtherEpoch: the position is of another hub, or of this service before it was started
	// again.
	ResumeOtherEpoch ResumeReason = "other epoch"
	// ResumeTooOld: the history does not reach back so far, or has been evicted.
	ResumeTooOld ResumeReason = "too old"
	// ResumeAhead: the position is beyond the end.
	ResumeAhead ResumeReason = "ahead"
)

// RecheckInfo describes one check of a member's access.
type RecheckInfo struct {
	Connection ConnectionInfo
	PlanID     string
	Result     RecheckResult
	// Err is nil if the member was kept, and else the error of Authorize, or why it did not answer.
	// For a member that was removed it is [ErrForbidden], [ErrUnauthenticated], or why its access
	// was not confirmed before its deadline.
	Err error
}

// RecheckResult is what a check of a member's access has led to.
type RecheckResult string

// The values of RecheckResult.
const (
	RecheckKept      RecheckResult = "kept"
	RecheckRemoved   RecheckResult = "removed"
	RecheckUndecided RecheckResult = "undecided" // the member stays, and is checked again
)
