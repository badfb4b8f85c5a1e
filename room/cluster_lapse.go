package room

import "github.com/planrooms/planrooms/room/internal/record"

// A lapse is a time in which a node has no tenure, such as that before its first one. Calls such as
// Disconnect do not wait for it then: it applies their record before its gate opens again. If the
// log loses the record before that, the node never learns of it, and Authorize does not know that a
// login has ended. So the node closes its connections: the clients connect again, and their
// credentials are verified.
//
// A loss ends the tenure of a node that notices it. This is not a lapse until the tenure would have
// ended anyway, which is time enough to open the log again: the node has another name then, no note
// says that the tenure of the old one has ended, and so the other nodes wait for it.

// lapse is what this node knows of its lapses. Guarded by cluster.mu. Times are of the monotonic
// clock.
type lapse struct {
	until   int64 // when the last one ended; 0: there was none
	excused int64 // until when the other nodes wait for a tenure that a loss has ended; 0: none
	missed  bool  // the node may have missed a Disconnect that did not wait: reconnect has to follow
	closed  bool  // the engine could not be opened at once, and there was no tenure since
}

// lapsedLocked is called when the log has lost records. It notes whether the record of a Disconnect
// may be among them that did not wait for this node: during a lapse or, since the other nodes may
// notice the loss later, a short time after it.
func (c *cluster) lapsedLocked() {
	l, now := &c.lapse, c.now().Mono
	recent := l.until > 0 && now-l.until < 2*int64(nodeTTL)
	l.missed = l.missed || recent || !c.gate.open() && now >= l.excused
}

// overLocked notes that a tenure begins, which ends the lapse.
func (l *lapse) overLocked(now int64) {
	if now >= l.excused {
		l.until = now
	}
	l.excused, l.closed = 0, false
}

// missedLocked notes that the node skips a part of the log, which may have a Disconnect.
func (l *lapse) missedLocked() { l.missed, l.excused = true, 0 }

// endsLogins reports whether a record that cannot be applied may be a Disconnect.
func endsLogins(h *record.Header) bool {
	return h.Class != record.ClassEvent && (h.Kind == record.KindDisconnect || !h.Kind.Known())
}

// reconnect closes all connections if lapsedLocked or missedLocked has noted that. The gate opens
// after that.
func (c *cluster) reconnect() {
	c.mu.Lock()
	missed := c.lapse.missed
	c.lapse.missed = false
	if missed {
		c.controls.reconnects++
	}
	c.mu.Unlock()
	if !missed {
		return
	}
	finish := c.replica.reconnect()
	c.start(func() {
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.controls.reconnects--
			c.openGateLocked()
		}()
		finish()
	})
}
