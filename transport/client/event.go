package client

import "github.com/planrooms/planrooms/protocol"

// Kind is what an [Event] is.
type Kind string

// The kinds.
const (
	Change   Kind = "change"   // something happened to the plan: Type, Data, By and so on say what
	Receipt  Kind = "receipt"  // a change that this client is excepted from, usually its own: it has its place in the order, but no data
	Presence Kind = "presence" // people came, went or changed their state: see Plan.Participants
	Reload   Kind = "reload"   // changes may be missing here: load the plan
)

// ReloadReason is why a plan has to be loaded.
type ReloadReason string

// The reasons.
const (
	ReloadJoined       ReloadReason = "joined"        // the plan was joined without a position
	ReloadNotRecovered ReloadReason = "not_recovered" // the server no longer has what was missed, or numbers anew
	ReloadResync       ReloadReason = "resync"        // the host asks for it, or the server had to leave something out
	ReloadGap          ReloadReason = "gap"           // something is missing, and was still missing when the plan was joined again
	ReloadOverflow     ReloadReason = "overflow"      // the program was too slow
)

// Event is one item of a plan's stream.
type Event struct {
	Kind Kind
	// Message is what the server sent; zero for a Reload. Its data must not be modified.
	protocol.Message
	// Reason is why to reload; empty for the other kinds.
	Reason ReloadReason
	// Position is that of the stream after this item: a program that stores it together with what it made of the item can give it as
	// JoinOptions.Since another time.
	Position protocol.Position
}

// eventBytes is about what an event takes besides its texts.
const eventBytes = 256

func (e Event) bytes() int {
	return eventBytes + len(e.Data) + len(e.Type) + len(e.PlanID) + len(e.By) + len(e.MutationID)
}

// overflow makes room in a full queue. Presence goes first, since [Plan.Participants] knows better; the newest of it stays to say so. If
// that is not enough one Reload takes the place of everything.
func overflow(items []Event) []Event {
	last := items[len(items)-1]
	kept := make([]Event, 0, len(items))
	newest := -1
	for i, e := range items {
		if e.Kind == Presence {
			newest = i
		}
	}
	for i, e := range items {
		if e.Kind != Presence || i == newest {
			kept = append(kept, e)
		}
	}
	if len(kept) <= len(items)/2 {
		return kept
	}
	return []Event{{Kind: Reload, Reason: ReloadOverflow, Position: last.Position}}
}
