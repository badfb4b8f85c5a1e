package jwtauth

import "time"

// The minimum times between two fetches, with and without a key set.
const (
	RefetchInterval = refetchInterval
	ColdInterval    = coldInterval
)

// Advance makes the key set and the last fetch of v older by d, for tests that fetch over a real
// network and therefore cannot use virtual time.
func Advance(v *Verifier, d time.Duration) {
	r := v.remote
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempt = r.attempt.Add(-d)
	r.set.began = r.set.began.Add(-d)
}
