package room

import "github.com/planrooms/planrooms/protocol"

// BroadcastOption sets the author of a change, its version, and the clients that the event
// excludes. It is a plain value, so that creating and applying one does not allocate.
type BroadcastOption struct {
	by, mutationID string
	once           string
	version        protocol.EventVersion
	except         exclusion
	more           []BroadcastOption
}

// By names the user who made the change. All clients receive the ID.
func By(userID string) BroadcastOption { return BroadcastOption{by: userID} }

// ExceptUser sends all connections of the user a receipt instead of the event.
func ExceptUser(userID string) BroadcastOption {
	return BroadcastOption{except: exclusion{userID: userID}}
}

// ExceptClient sends the connections of the user with that client ID a receipt instead of the
// event. Client IDs are not secret, so it never affects another user. A client ID that is empty or
// not valid excludes no connection.
func ExceptClient(userID, clientID string) BroadcastOption {
	if !protocol.ValidClientID(clientID) {
		return BroadcastOption{}
	}
	return BroadcastOption{except: exclusion{userID: userID, clientID: clientID}}
}

// Mutation adds the client's own ID for the change, 1 to 64 of [A-Za-z0-9_-]. An invalid ID is
// ignored.
func Mutation(id string) BroadcastOption {
	if !protocol.ValidMutationID(id) {
		return BroadcastOption{}
	}
	return BroadcastOption{mutationID: id}
}

// Version adds the version of what the event describes, so that clients keep the latest state if
// the events of two changes arrive in the other order. key names what has the version, such as the
// ID of a task, and has the syntax of a plan ID. n is from 0 to 2^53-1, and the host increases it
// with each change: the version column of a row, or the number of its last change. Clients drop an
// event whose n is below the last n that they received for the key; an equal n passes. A client
// that loads the plan, or whose user changes, starts again without versions.
//
// The hub sends the version to all clients and drops no event: with several hubs, it does not know
// the last version. In a [Hub.BroadcastBatch] the version applies to the events that have none
// themselves (protocol.Event.Version). An invalid version makes the call return
// [protocol.ErrEventVersion].
func Version(key string, n int64) BroadcastOption {
	if key == "" {
		n = -1 // invalid; the zero value would mean that the event has none
	}
	return BroadcastOption{version: protocol.EventVersion{Key: key, N: n}}
}

// Combine makes several options one.
func Combine(opts ...BroadcastOption) BroadcastOption { return BroadcastOption{more: opts} }
