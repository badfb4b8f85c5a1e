package main

import (
	"context"
	"time"
)

// stormReport describes how the connections that were cut at once reconnected.
type stormReport struct {
	Cut     int     `json:"cut"`         // connections
	Back    int     `json:"back"`        // of them, those that had reconnected when the load ended
	Seconds float64 `json:"backSeconds"` // until the last of them had reconnected
	Resumed int     `json:"resumed"`     // joins that resumed meanwhile
	// Of this process meanwhile: the viewers, and the server if it runs here.
	Processor float64 `json:"cpuSeconds"`
}

// storm cuts all connections that read, the given time from now, and waits until they are back or
// ctx ends. It returns nil if ctx ends before.
func (c *crowd) storm(ctx context.Context, after time.Duration) *stormReport {
	if waitUntil(ctx, c.tally, c.tally.now()+after) != nil {
		return nil
	}
	r := &stormReport{}
	resumes, cpu, began := c.tally.resumes(), cpuSeconds(), c.tally.now()
	for _, v := range c.viewers {
		if v.cut() {
			r.Cut++
		}
	}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-look.C:
		case <-ctx.Done():
			over = true
		}
		r.Seconds = (c.tally.now() - began).Seconds()
		r.Back, r.Resumed, r.Processor = r.Cut-c.away(), c.tally.resumes()-resumes, cpuSeconds()-cpu
		over = over || r.Back == r.Cut && r.Resumed >= r.Cut
	}
	return r
}

// away counts the viewers without a connection.
func (c *crowd) away() (n int) {
	for _, v := range c.viewers {
		v.mu.Lock()
		if v.socket == nil {
			n++
		}
		v.mu.Unlock()
	}
	return n
}

// cut cuts the viewer's connection, as a network that fails does. It reports whether there was one.
func (v *viewer) cut() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.socket == nil {
		return false
	}
	v.socket.cut()
	return true
}

// resumes counts the joins that have resumed.
func (t *tally) resumes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.totals.Resumes
}
