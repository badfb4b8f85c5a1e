package room

import (
	"container/list"
	"sync/atomic"
	"time"
)

const (
	// disconnectKept is how long a call of Disconnect is remembered.
	disconnectKept = time.Minute
	// maxDisconnects is how many calls of Disconnect are remembered, for as many users or sessions.
	// They take some 200 bytes each, in addition to the IDs.
	maxDisconnects = 1 << 14
)

// Verification is the moment at which a transport began to verify the credentials of a client; see
// [Hub.BeginVerification]. The zero value means the moment of [Hub.Connect].
type Verification struct {
	first uint64 // number of the first call of Disconnect after it
}

// disconnected is the user or session of a call of Disconnect. An empty session means the user.
type disconnected struct{ userID, session string }

// disconnects remembers the calls of Disconnect, for connections whose verification began before.
// The hub guards it, except for calls. The zero value is ready.
type disconnects struct {
	calls     atomic.Uint64                  // so far; each has its number, from 1 on
	last      map[disconnected]*list.Element // of *disconnectCall: the last call for each
	order     list.List                      // the same, the oldest first
	forgotten uint64                         // number of the last call that was forgotten
}

// disconnectCall is a call of Disconnect.
type disconnectCall struct {
	of          disconnected
	number      uint64
	signInAgain bool
	at          int64 // see Hub.clock
}

// add records a call.
func (d *disconnects) add(of disconnected, signInAgain bool, now int64) {
	if d.last == nil {
		d.last = make(map[disconnected]*list.Element)
	}
	if e := d.last[of]; e != nil {
		d.order.Remove(e)
	}
	d.last[of] = d.order.PushBack(&disconnectCall{of: of, number: d.calls.Add(1), signInAgain: signInAgain, at: now})
	for d.order.Len() > maxDisconnects {
		d.forgetOldest()
	}
	d.prune(now)
}

// prune forgets the calls that are older than disconnectKept.
func (d *disconnects) prune(now int64) {
	for e := d.order.Front(); e != nil && now-e.Value.(*disconnectCall).at > int64(disconnectKept); e = d.order.Front() {
		d.forgetOldest()
	}
}

func (d *disconnects) forgetOldest() {
	c := d.order.Remove(d.order.Front()).(*disconnectCall)
	delete(d.last, c.of)
	d.forgotten = c.number
}

// forget is called when a call may be missing: connections whose verification began before are
// refused.
func (d *disconnects) forget() { d.forgotten = d.calls.Add(1) }

// check returns an error if Disconnect was called for the user or the session after v, or if that
// is forgotten.
func (d *disconnects) check(v Verification, userID, session string) error {
	if v == (Verification{}) {
		return nil
	}
	for _, of := range []disconnected{{userID, ""}, {userID, session}} {
		e := d.last[of]
		if e == nil {
			continue
		}
		switch c := e.Value.(*disconnectCall); {
		case c.number < v.first:
		case c.signInAgain:
			return ErrSignInAgain
		default:
			return ErrDisconnected
		}
	}
	if d.forgotten >= v.first {
		return ErrVerification
	}
	return nil
}
