package client

import (
	"math/rand/v2"
	"time"
)

const (
	// stableAfter is how long a connection must be useful to reset the back-off.
	stableAfter = 5 * time.Second
	// maxRetryAfter bounds the wait that a server can ask for.
	maxRetryAfter = time.Hour
)

// backoff computes the wait before the next attempt: exponential, with full jitter. It is guarded
// by Client.mu.
type backoff struct {
	min, max time.Duration
	attempts int
}

// ceiling returns the longest wait before the next attempt.
func (b *backoff) ceiling() time.Duration {
	d := b.min
	for i := 0; i < b.attempts && d < b.max; i++ {
		d *= 2
	}
	return min(d, b.max)
}

// next returns a random wait from 0 to the ceiling, so that clients that lost a server at the same
// moment reconnect at different times.
func (b *backoff) next() time.Duration {
	d := rand.N(b.ceiling() + 1)
	b.attempts++
	return d
}

// worked resets the back-off if the connection was useful for long enough, since the given time.
// Zero means that it was not useful.
func (b *backoff) worked(since, now time.Time) {
	if !since.IsZero() && now.Sub(since) >= stableAfter {
		b.attempts = 0
	}
}

// pace keeps the client below the server's rate limit of 10 messages per second, with a burst of
// 128.
type pace struct {
	full time.Time // when the whole burst is available again
}

const (
	paceEvery = 110 * time.Millisecond
	paceBurst = 100
)

// at returns the earliest time for the next message.
func (p *pace) at() time.Time { return p.full.Add(-(paceBurst - 1) * paceEvery) }

func (p *pace) sent(now time.Time) {
	if p.full.Before(now) {
		p.full = now
	}
	p.full = p.full.Add(paceEvery)
}
