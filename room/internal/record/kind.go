package record

import "strconv"

// Kind says what a record means.
type Kind uint8

// The kinds of records. Their bodies are [Event], [Resync], [Control] for the four from KindRevoke
// to KindClosePlan, [NodeRecord], [Silent], [Epoch] and [Relay].
const (
	KindEvent      Kind = 1  // an event of a plan
	KindResync     Kind = 2  // all clients of a plan, or of all plans, load it again
	KindRevoke     Kind = 3  // a user loses a plan
	KindDisconnect Kind = 4  // a user's connections end
	KindRecheck    Kind = 5  // the rights of a user, or those to a plan, are checked again
	KindClosePlan  Kind = 6  // all members of a plan are removed
	KindNode       Kind = 7  // a tenure of a node begins, or goes on
	KindSilent     Kind = 8  // a node has written its last to its clients
	KindEpoch      Kind = 9  // the log may have lost records, and gets a new epoch
	KindRelay      Kind = 10 // a relay of an outbox begins; no release writes it yet
)

// kindNames has the names of the kinds, by value.
var kindNames = [...]string{
	KindEvent:      "event",
	KindResync:     "resync",
	KindRevoke:     "revoke",
	KindDisconnect: "disconnect",
	KindRecheck:    "recheck",
	KindClosePlan:  "close plan",
	KindNode:       "node",
	KindSilent:     "silent",
	KindEpoch:      "epoch",
	KindRelay:      "relay",
}

// Known reports whether this release knows the kind.
func (k Kind) Known() bool { return int(k) < len(kindNames) && kindNames[k] != "" }

// String returns the name of the kind for logs, such as "close plan", or its number.
func (k Kind) String() string {
	if k.Known() {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// Class returns the class of the records of this kind: a new kind is of [ClassControl] unless it is
// listed here.
func (k Kind) Class() Class {
	if k == KindEvent || k == KindResync {
		return ClassEvent
	}
	return ClassControl
}

// Class says what a node does for a record that it cannot read.
type Class uint8

const (
	// ClassEvent is the class of what clients receive. If a node cannot read such a record, its
	// clients load the plan again.
	ClassEvent Class = 1
	// ClassControl is the class of everything else, such as what ends access. If a node cannot read
	// such a record, it checks the access of all members that the record may concern.
	ClassControl Class = 2
)
