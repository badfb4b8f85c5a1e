package main

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	maxAttempts    = 10 // failed logins with one address, within attemptsWindow
	attemptsWindow = 5 * time.Minute
)

// attempts limits how often a password can be guessed. It counts by the e-mail address that is guessed at, known or not, and not by where the
// guesses come from: those who have many machines would not notice, and those behind one proxy would pay for each
// other. Somebody can therefore keep a person from logging in for some minutes; who is logged in stays so.
//
// It is a table of fixed size, so no flood of addresses makes it grow. Two addresses may share a place, and then share the
// limit; nobody can choose which, since the seed is random. It is safe for concurrent use.
type attempts struct {
	seed maphash.Seed // fixed at creation

	mu     sync.Mutex // guards the following
	places [1 << 14]struct {
		count int
		until time.Time // from then on count is 0
	}
}

func newAttempts() *attempts { return &attempts{seed: maphash.MakeSeed()} }

// begin counts an attempt. If there have been too many it returns how long to wait, and false. Counting comes before the
// password is looked at, so that many attempts at once are not one.
func (a *attempts) begin(email string) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	place := &a.places[a.placeOf(email)]
	now := time.Now()
	if !now.Before(place.until) {
		place.count, place.until = 0, now.Add(attemptsWindow)
	}
	if place.count >= maxAttempts {
		return place.until.Sub(now), false
	}
	place.count++
	return 0, true
}

// succeed forgets the attempts of somebody who has shown that it was them.
func (a *attempts) succeed(email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.places[a.placeOf(email)].count = 0
}

func (a *attempts) placeOf(email string) uint64 {
	return maphash.String(a.seed, email) % uint64(len(a.places))
}
