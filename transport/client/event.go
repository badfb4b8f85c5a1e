package client

import (
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Kind is the kind of an [Event].
type Kind string

// The kinds.
const (
	// Change is a change of the plan: Type, Data and By describe it.
	Change Kind = "change"
	// Receipt is the position of a change that the server does not send to this client, usually
	// because the client made it. It has no Data.
	Receipt Kind = "receipt"
	// Presence means that users joined, left or changed their state: see Plan.Participants.
	Presence Kind = "presence"
	// Reload means that changes may be missing: load the plan.
	Reload Kind = "reload"
)

// ReloadReason is the reason of a [Reload].
type ReloadReason string

// The reasons.
const (
	// ReloadJoined means that the client joined without a position: at the first join, or after it
	// has connected as another user.
	ReloadJoined ReloadReason = "joined"
	// ReloadNotRecovered means that the server no longer has the events that the client missed.
	ReloadNotRecovered ReloadReason = "not_recovered"
	// ReloadResync means that the host asked the clients to reload, or the server dropped events.
	ReloadResync ReloadReason = "resync"
	// ReloadGap means that events are missing, and were still missing after another join.
	ReloadGap ReloadReason = "gap"
	// ReloadOverflow means that the program was too slow.
	ReloadOverflow ReloadReason = "overflow"
)

// Event is one item of a plan's stream.
type Event struct {
	Kind Kind
	// Message is the message of the server. It is zero for a Reload. Do not modify its Data.
	protocol.Message
	// Reason is the reason of a Reload. It is empty for the other kinds.
	Reason ReloadReason
	// Position is the position of the stream after this item. A program that stores it together
	// with the result of the item can resume there, with JoinOptions.Since.
	Position protocol.Position
}

// item is an event in the queue of a plan.
type item struct {
	event Event
	due   time.Time // when the program may take it; zero: at any time
}

// eventBytes is about the memory that an event takes without its strings.
const eventBytes = 256

func (i item) bytes() int {
	e := &i.event
	return eventBytes + len(e.Data) + len(e.Type) + len(e.PlanID) + len(e.By) + len(e.MutationID) + len(e.Version.Key)
}

// addItem is the add of a plan's queue. It keeps at most one Reload: a second one takes the place
// of the first and of all items since, because the program loads what they describe. So a plan
// whose server sends resync faster than the program can load does not fall behind.
func addItem(items []item, i item) []item {
	if i.event.Kind != Reload {
		return append(items, i)
	}
	for n := range items {
		if items[n].event.Kind == Reload {
			if items[n].due.Before(i.due) {
				i.due = items[n].due // or a storm of resyncs would delay the Reload for ever
			}
			clear(items[n:])
			items = items[:n]
			break
		}
	}
	return append(items, i)
}

// overflow shortens a full queue. It removes presence items first, because [Plan.Participants] has
// the current state; it keeps the last one, as a sign that something has changed. If that is not
// enough, one Reload takes the place of all items.
func overflow(items []item) []item {
	last := items[len(items)-1]
	kept := make([]item, 0, len(items))
	newest := -1
	var due time.Time
	for n, i := range items {
		if i.event.Kind == Presence {
			newest = n
		}
		if i.due.After(due) {
			due = i.due
		}
	}
	for n, i := range items {
		if i.event.Kind != Presence || n == newest {
			kept = append(kept, i)
		}
	}
	if len(kept) <= len(items)/2 {
		return kept
	}
	reload := Event{Kind: Reload, Reason: ReloadOverflow, Position: last.event.Position}
	return []item{{event: reload, due: due}}
}
