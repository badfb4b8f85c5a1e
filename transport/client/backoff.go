package client

import (
	"math/rand/v2"
	"time"
)

const (
	// stableAfter is how long something must have worked before its next failure counts as the first.
	stableAfter = 5 * time.Second
	// maxRetryAfter bounds what a server may ask for.
	maxRetryAfter = time.Hour
)

// backoff says how long to wait before the next attempt. It is used under Client.mu.
type backoff struct {
	min, max time.Duration
	attempts int
}

// ceiling is the longest wait before the next attempt.
func (b *backoff) ceiling() time.Duration {
	d := b.min
	for i := 0; i < b.attempts && d < b.max; i++ {
		d *= 2
	}
	return min(d, b.max)
}

// next draws a wait between nothing and the ceiling, all of them equally likely: those who lost one server at the same moment
// come back evenly spread.
func (b *backoff) next() time.Duration {
	d := rand.N(b.ceiling() + 1)
	b.attempts++
	return d
}

// worked tells that it has worked since then; zero means that it has not.
func (b *backoff) worked(since, now time.Time) {
	if !since.IsZero() && now.Sub(since) >= stableAfter {
		b.attempts = 0
	}
}

// pace spaces messages so that the server, which takes 10 a second and 128 at once, never has to refuse one.
type pace struct {
	full time.Time // when the whole burst will be available again
}

const (
	paceEvery = 110 * time.Millisecond
	paceBurst = 100
)

// at returns when the next message may be sent, which may have passed.
func (p *pace) at() time.Time { return p.full.Add(-(paceBurst - 1) * paceEvery) }

func (p *pace) sent(now time.Time) {
	if p.full.Before(now) {
		p.full = now
	}
	p.full = p.full.Add(paceEvery)
}
