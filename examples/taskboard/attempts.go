package main

import (
	"errors"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// The limits on wrong passwords. Each allows a burst of failures, and one more after each interval.
var (
	// byAccountAndBlock limits one address block guessing at one account. An attacker elsewhere
	// cannot use up the attempts of the account's owner.
	byAccountAndBlock = limit{burst: 10, interval: 30 * time.Second}
	// byAccount limits guesses at one account from all address blocks together.
	byAccount = limit{burst: 100, interval: 10 * time.Second}
	// byBlock limits guesses from one address block at all accounts together.
	byBlock = limit{burst: 40, interval: 2 * time.Second}
)

// maxChecking is how many logins of one address block may be in progress at once.
const maxChecking = 4

// errTooManyLogins reports that maxChecking is reached.
var errTooManyLogins = errors.New("too many logins of this address block in progress")

// limitError reports that a limit on wrong passwords is reached.
type limitError struct {
	account bool          // a limit on the account, not on the address block
	wait    time.Duration // until the next attempt is allowed
}

func (e *limitError) Error() string { return "too many failed logins" }

// attempts limits how often passwords can be guessed: per account and per address block. Only
// guesses that were compared with a hash count. Its tables have a fixed size. It is safe for
// concurrent use.
type attempts struct {
	pairs, accounts, blocks *buckets // fixed at creation

	mu       sync.Mutex // guards checking
	checking map[netip.Prefix]int
}

func newAttempts() *attempts {
	return &attempts{
		pairs:    newBuckets(byAccountAndBlock),
		accounts: newBuckets(byAccount),
		blocks:   newBuckets(byBlock),
		checking: make(map[netip.Prefix]int),
	}
}

// attempt is one login in progress. Call end when it is over.
type attempt struct {
	attempts          *attempts
	block             netip.Prefix
	pair, account     string
	failed, succeeded bool
}

// begin starts a login. It takes one failure from every limit in advance, so that parallel guesses
// cannot exceed a limit; end returns what was not used. The block may be the zero Prefix if the
// client's address is unknown; then only the limits of the account apply.
// Errors: *limitError, errTooManyLogins.
func (a *attempts) begin(block netip.Prefix, account string) (*attempt, error) {
	t := &attempt{attempts: a, block: block, account: account, pair: block.String() + " " + account}
	if !a.enter(block) {
		return nil, errTooManyLogins
	}
	if wait := a.pairs.take(t.pair); wait > 0 {
		a.leave(block)
		return nil, &limitError{account: true, wait: wait}
	}
	if wait := a.accounts.take(account); wait > 0 {
		a.pairs.put(t.pair)
		a.leave(block)
		return nil, &limitError{account: true, wait: wait}
	}
	if block.IsValid() {
		if wait := a.blocks.take(block.String()); wait > 0 {
			a.pairs.put(t.pair)
			a.accounts.put(account)
			a.leave(block)
			return nil, &limitError{wait: wait}
		}
	}
	return t, nil
}

// fail records that the password was compared and is wrong.
func (t *attempt) fail() { t.failed = true }

// succeed records that the password is right.
func (t *attempt) succeed() { t.succeeded = true }

// end finishes the attempt. Unless fail was called, the attempt does not count.
func (t *attempt) end() {
	a := t.attempts
	defer a.leave(t.block)
	if t.failed {
		return
	}
	if t.succeeded {
		a.pairs.reset(t.pair)
	} else {
		a.pairs.put(t.pair)
	}
	a.accounts.put(t.account)
	if t.block.IsValid() {
		a.blocks.put(t.block.String())
	}
}

func (a *attempts) enter(block netip.Prefix) bool {
	if !block.IsValid() {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.checking[block] >= maxChecking {
		return false
	}
	a.checking[block]++
	return true
}

func (a *attempts) leave(block netip.Prefix) {
	if !block.IsValid() {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.checking[block]--; a.checking[block] == 0 {
		delete(a.checking, block)
	}
}

// limit allows a burst of failures, and one more after each interval.
type limit struct {
	burst    int
	interval time.Duration
}

// buckets counts failures by key in a table of fixed size. Two keys may share a place and its
// limit. The seed is random, so a client cannot choose keys that share a place. It is safe for
// concurrent use.
type buckets struct {
	limit limit
	seed  maphash.Seed
	now   func() time.Time

	mu     sync.Mutex // guards places
	places [1 << 14]time.Time
}

func newBuckets(l limit) *buckets { return &buckets{limit: l, seed: maphash.MakeSeed(), now: time.Now} }

// take uses one failure of the key and returns 0. If none is left it returns how long to wait.
func (b *buckets) take(key string) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	place, now := b.place(key), b.now()
	// A place holds the time at which its bucket is full again.
	full := *place
	if full.Before(now) {
		full = now
	}
	full = full.Add(b.limit.interval)
	if wait := full.Sub(now) - time.Duration(b.limit.burst)*b.limit.interval; wait > 0 {
		return wait
	}
	*place = full
	return 0
}

// put returns one failure that take has used.
func (b *buckets) put(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	place := b.place(key)
	*place = place.Add(-b.limit.interval)
}

// reset forgets all failures of the key.
func (b *buckets) reset(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.place(key) = time.Time{}
}

// place returns the key's place. The caller holds b.mu.
func (b *buckets) place(key string) *time.Time {
	return &b.places[maphash.String(b.seed, key)%uint64(len(b.places))]
}
