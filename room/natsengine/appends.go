package natsengine

// appends counts the records that are published. A server that refuses one does not say which one.
// It is certain that a record is not stored only if no other one can be meant.
type appends struct {
	subject    string // of the records
	running    int    // attempts
	unanswered int    // records that may be published on this connection, without an answer
}

// denied takes an error of the server that an operation is not permitted. It returns true if that
// is an attempt that is running, and can be no other one.
func (a *appends) denied(err *deniedError) bool {
	if a.unanswered == 0 || !err.isPublish(a.subject) {
		return false
	}
	a.unanswered--
	return a.running == 1 && a.unanswered == 0
}

// reconnected is called when the connection was made again: nothing that was published before is
// refused later.
func (a *appends) reconnected() { a.unanswered = a.running }

// beginAppend begins an attempt to publish a record. Call done at its end, with whether there was a
// clear answer.
func (c *client) beginAppend(subject string) (l *link, done func(answered bool)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.appends.subject = subject
	c.appends.running++
	c.appends.unanswered++
	return c.link, func(answered bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.appends.running--
		if answered && c.appends.unanswered > 0 {
			c.appends.unanswered--
		}
	}
}
