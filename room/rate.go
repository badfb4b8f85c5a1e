package room

import "time"

// bucket is a token bucket: burst tokens at first, refilled at rate per second. The zero value is
// full.
type bucket struct {
	used float64 // negative after forgive
	at   int64   // see Hub.clock
}

// take reports whether a token was there, and takes it.
func (b *bucket) take(now int64, rate, burst float64) bool {
	b.used = max(min(b.used, 0), b.used-time.Duration(now-b.at).Seconds()*rate)
	b.at = now
	if b.used+1 > burst {
		return false
	}
	b.used++
	return true
}

// forgive adds the tokens of a time d, which ends now, in which the reader had to wait. What the
// peer has sent meanwhile, at the rate, arrives at once and may be more than a burst.
func (b *bucket) forgive(now int64, d time.Duration, rate float64) {
	b.used -= d.Seconds() * rate
	b.at = now
}

// excesses remembers when a connection last went over a limit.
type excesses [maxExcesses - 1]int64 // Hub.clock plus 1; 0: no excess

// add records an excess and reports whether it closes the connection.
func (x *excesses) add(now int64) (over bool) {
	now++
	over = x[0] != 0 && time.Duration(now-x[0]) <= excessWindow
	copy(x[:], x[1:])
	x[len(x)-1] = now
	return over
}
