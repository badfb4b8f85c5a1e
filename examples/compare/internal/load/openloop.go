package load

import "time"

// openLoop publishes at a rate for d, over all rooms in turn, each event stamped with the time at
// which it was due, so that a server that is late is not spared. Then it lets them arrive.
func (e *engine) openLoop(rate float64, d time.Duration) (tally, error) {
	total := max(int64(rate*d.Seconds()), 1)
	start := now() + 1e6
	due := func(i int64) int64 { return start + int64(float64(i)/rate*1e9) }
	t := tally{first: start, last: start, times: make([]int64, 0, total*int64(len(e.connections)/len(e.rooms)+1))}
	e.deliver = func(_ *connection, _, sent, at int64) {
		t.times = append(t.times, at-sent)
		t.last = at
	}
	defer func() { e.deliver = nil }()
	before := e.delivered
	for t.published < total {
		at := now()
		if wait := due(t.published) - at; wait > 0 {
			if err := e.poll(int(wait / 1e6)); err != nil { // the last millisecond without sleeping
				return t, err
			}
			continue
		}
		for ; t.published < total && due(t.published) <= at; t.published++ {
			r := &e.rooms[t.published%int64(len(e.rooms))]
			e.publish(r, due(t.published))
			t.expected += r.readers
			t.late = append(t.late, at-due(t.published))
		}
		if err := e.publisher.flush(e.poller); err != nil {
			return t, err
		}
		if err := e.poll(0); err != nil {
			return t, err
		}
	}
	return t, e.await(before+t.expected, &t.last)
}

// patience is how long the last deliveries may take after the one before.
const patience = int64(3 * time.Second)

// await returns when so much has been delivered, or nothing has for some time: what is missing is
// lost.
func (e *engine) await(delivered int64, last *int64) error {
	from := now()
	for e.delivered < delivered && now()-max(from, *last) < patience {
		if err := e.poll(50); err != nil {
			return err
		}
	}
	return nil
}
