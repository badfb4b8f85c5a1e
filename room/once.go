package room

import (
	"container/list"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Once gives the event an ID of the host, such as that of a message of a queue that may be
// delivered twice: a second broadcast to the plan with the same ID within [DedupWindow] sends
// nothing, and returns the position of the first. With an engine this holds for all nodes, and
// after a restart of this one. Without one it holds for this hub, for the last 16,384 IDs at most.
// In a [Hub.BroadcastBatch] each event has the ID with its number. An ID has 1 to 256 bytes; an
// empty one is ignored, and a longer one makes the call return [ErrOnce].
func Once(id string) BroadcastOption { return BroadcastOption{once: id} }

const (
	maxOnceID = 256     // bytes
	maxOnces  = 1 << 14 // IDs that a hub without an engine remembers
)

// onceID returns the ID of Append for an ID of the host: short, however long that is. place is the
// event's index in a batch.
func onceID(planID, id string, place int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(len(planID)) + ":" + planID + id))
	return "o:" + base64.RawURLEncoding.EncodeToString(sum[:16]) + ":" + strconv.Itoa(place)
}

// onces are the broadcasts with an ID in a hub without an engine. The zero value is ready.
type onces struct {
	mu    sync.Mutex           // guards the following; taken last
	calls map[string]*onceCall // by key
	order list.List            // of *onceCall, the oldest first
}

// onceCall is one broadcast with an ID.
type onceCall struct {
	// Fixed at creation.
	key  string
	at   time.Time
	done chan struct{} // closed when the call is over

	// Set before done is closed, and read after that.
	position protocol.Position
	failed   bool
}

// do calls f, unless a call with this key has succeeded within DedupWindow: then it returns the
// position of that. It waits for a call that runs.
func (o *onces) do(key string, f func() (protocol.Position, error)) (protocol.Position, error) {
	for {
		c, first := o.begin(key)
		if !first {
			<-c.done
			if c.failed {
				continue
			}
			return c.position, nil
		}
		var err error
		func() {
			c.failed = true
			defer close(c.done) // deferred: an Observer may call runtime.Goexit
			c.position, err = f()
			c.failed = err != nil
		}()
		return c.position, err
	}
}

// begin returns the call with this key, and reports whether the caller has to make it.
func (o *onces) begin(key string) (c *onceCall, first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	for e := o.order.Front(); e != nil && (now.Sub(e.Value.(*onceCall).at) > DedupWindow || o.order.Len() > maxOnces); e = o.order.Front() {
		old := o.order.Remove(e).(*onceCall)
		if o.calls[old.key] == old {
			delete(o.calls, old.key)
		}
	}
	if c = o.calls[key]; c != nil && !c.hasFailed() {
		return c, false
	}
	if o.calls == nil {
		o.calls = make(map[string]*onceCall)
	}
	c = &onceCall{key: key, at: now, done: make(chan struct{})}
	o.calls[key] = c
	o.order.PushBack(c)
	return c, true
}

// hasFailed reports whether the call is over and has failed.
func (c *onceCall) hasFailed() bool {
	select {
	case <-c.done:
		return c.failed
	default:
		return false
	}
}
