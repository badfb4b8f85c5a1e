// Package roster keeps the lists of present users equal on all nodes of a cluster.
//
// Every node lists the users who are present in plans through its own connections. [Own] is this
// list and what the node sends about it. [Others] is what the other nodes list. A user is present
// in a plan while any node lists the user there.
//
// A node sends each change once, in numbered deltas. The numbers of a node begin at 1 and have no
// gaps: after delta n the list of the sender is complete, and before delta 1 it is empty. Messages
// between nodes may be lost and may arrive in any order. So a receiver holds a delta whose
// predecessor is missing, and asks the sender for its whole list. The list comes in pages and says
// after which delta it was taken; the receiver then goes on with the deltas that follow. A node
// that missed the last delta learns that from the number in the sender's next note
// ([Others.Behind]). Once all messages of a sender have arrived, or one whole list and what follows
// it, the receiver lists exactly what the sender lists.
//
// A node that starts again has another name. A node that is gone is dropped with all that it listed
// ([Others.Gone]), and later messages of it are ignored until it is added again.
//
// The package does no I/O and has no clock, goroutine or lock: the caller guards Own and Others,
// sends what Own returns and passes what arrives to Others. A broken body changes nothing, except
// that the whole list is needed. A list never has IDs or states that clients must not receive.
package roster

import "time"

// Person is a user in a plan, as one node lists it, or several together ([Person.Merge]).
type Person struct {
	UserID   string
	UserName string

	// NameAt orders the names that different nodes list: the highest is shown. The node that
	// changes the name sets it to one more than any that it knows of this user in this plan (a
	// Lamport counter). Equal ones are ordered by the names of the nodes.
	NameAt uint64

	// JoinedAt has nanoseconds and no monotonic clock. The earliest is shown.
	JoinedAt time.Time

	// Connections of the user in this plan. A person without any is present: the user may be back
	// soon. The sum is shown.
	Connections int

	// State is JSON, or nil if the user has none: the caller passes none for crowded rooms. It must
	// not be modified. StateAt orders the states that different nodes list, as NameAt does for
	// names. It counts only with a state.
	State   []byte
	StateAt uint64

	// NameBy and StateBy are the nodes whose name and state the person has. Others sets them; Own
	// ignores them.
	NameBy, StateBy string
}

// Change is a user in a plan about whom a node now lists something else.
type Change struct{ Plan, UserID string }

// Merge adds what other nodes list about the same user. The result does not depend on the order of
// calls. NameBy and StateBy must be set in both.
func (p *Person) Merge(q Person) {
	p.Connections += q.Connections
	if p.JoinedAt.IsZero() || !q.JoinedAt.IsZero() && q.JoinedAt.Before(p.JoinedAt) {
		p.JoinedAt = q.JoinedAt
	}
	if newer(q.NameAt, q.NameBy, p.NameAt, p.NameBy) {
		p.UserName, p.NameAt, p.NameBy = q.UserName, q.NameAt, q.NameBy
	}
	if q.State != nil && (p.State == nil || newer(q.StateAt, q.StateBy, p.StateAt, p.StateBy)) {
		p.State, p.StateAt, p.StateBy = q.State, q.StateAt, q.StateBy
	}
}

// newer reports whether what node set at a Lamport counter comes after what other set at another.
func newer(at uint64, node string, otherAt uint64, other string) bool {
	return at > otherAt || at == otherAt && node > other
}
