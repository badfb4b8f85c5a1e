package load

import "time"

// tally is what a loop found.
type tally struct {
	published int64
	expected  int64 // deliveries
	first     int64 // time of the first event
	last      int64 // time of the last delivery
	times     []int64
	late      []int64
}

// closedLoop keeps Window events under way in every room for d, then lets them arrive.
func (e *engine) closedLoop(d time.Duration) (t tally, err error) {
	for i := range e.rooms {
		if r := &e.rooms[i]; r.reached == nil {
			r.reached, r.sent = make([]int64, ringSize), make([]int64, ringSize)
		}
	}
	t.first = now()
	t.last = t.first
	end := t.first + int64(d)
	underWay := 0
	publish := func(r *room) {
		underWay++
		t.published++
		t.expected += r.readers
		e.publish(r, now())
	}
	e.deliver = func(c *connection, seq, _, at int64) {
		r := &e.rooms[c.room]
		k := seq % ringSize
		r.reached[k]++
		t.last = at
		if r.reached[k] < r.readers {
			return
		}
		r.reached[k] = 0
		underWay--
		t.times = append(t.times, at-r.sent[k])
		if at < end {
			publish(r) // sent at once: an event is complete, the next begins
			err = e.publisher.flush(e.poller)
		}
	}
	defer func() { e.deliver = nil }()
	for i := range e.rooms {
		for range e.config.Window {
			publish(&e.rooms[i])
		}
	}
	err = e.publisher.flush(e.poller)
	for underWay > 0 && err == nil && now()-t.last < silence {
		if pollErr := e.poll(100); pollErr != nil {
			return t, pollErr
		}
	}
	return t, err
}
