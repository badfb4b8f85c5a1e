package room

// A lapse is a time in which a node has no tenure. Calls such as Disconnect do not wait for it
// then: it applies their record before its gate opens again. If the log loses the record before
// that, the node never learns of it, and Authorize does not know that a login has ended. So the
// node closes its connections: the clients connect again, and their credentials are verified.

// lapse is what this node knows of its lapses. Guarded by cluster.mu.
type lapse struct {
	until   int64 // when the last one ended, by the monotonic clock; 0: there was none
	excused bool  // endTenureLocked has ended the tenure, and no other has begun: not a lapse
	missed  bool  // the log may have lost a Disconnect that did not wait: reconnect has to follow
}

// lapsedLocked is called when the log has lost records. It notes whether the record of a Disconnect
// may be among them that did not wait for this node: during a lapse or, since the other nodes may
// notice the loss later, a short time after it.
func (c *cluster) lapsedLocked() {
	l := &c.lapse
	if !l.excused && c.own.Number() > 0 {
		recent := l.until > 0 && c.now().Mono-l.until < 2*int64(nodeTTL)
		l.missed = l.missed || recent || !c.gate.open()
	}
}

// reconnect closes all connections if lapsedLocked has noted that. The gate opens after that.
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
