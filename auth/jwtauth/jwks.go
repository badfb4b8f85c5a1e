package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// refetchInterval is the minimum time between the starts of two fetches while a set is in use.
	refetchInterval = 30 * time.Second

	// coldInterval is the minimum time between the starts of two fetches while no set is in use.
	coldInterval = time.Second
)

// errNotDue is the cause when nothing failed, but the next fetch may not be made yet.
var errNotDue = errors.New("unknown key, and the key set was fetched a short time ago")

// remote is the key set behind a URL. Only verify starts a fetch. Each fetch has a goroutine, which
// ends with it; close waits for it.
type remote struct {
	// Fixed at creation.
	fetcher fetcher
	refresh time.Duration
	maxAge  time.Duration
	logger  *slog.Logger // nil: no logging

	// life is the context of fetches. A fetch does not use the context of the call that started it,
	// because other calls wait for the same fetch.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex // guards the following
	closed  bool
	set     fetchedSet
	fetches uint64        // number of fetches begun
	attempt time.Time     // when the last fetch began
	failure error         // of the last completed fetch
	flight  chan struct{} // closed when the fetch in flight ends; nil: none in flight
}

// fetchedSet is a key set with the fetch that it came from. Without keys it is the zero value.
type fetchedSet struct {
	keys  keySet
	fetch uint64    // its number, from 1
	began time.Time // when it began
}

func newRemote(o *Options) *remote {
	r := &remote{
		fetcher: newFetcher(o),
		refresh: o.RefreshInterval,
		maxAge:  o.MaxAge,
		logger:  o.Logger,
	}
	r.life, r.end = context.WithCancel(context.Background())
	return r
}

// verify checks the signature of t. If no key matches and mayWait is set, it waits for at most one
// fetch and checks again with the new set. See the package documentation for the rules.
func (r *remote) verify(ctx context.Context, t *token, mayWait bool) error {
	set, arrived, err := r.arrive()
	if err != nil {
		return err
	}
	known, err := set.keys.verify(t)
	if err == nil || !mayWait {
		return err
	}
	if flight := r.renew(); flight != nil {
		select {
		case <-flight:
		case <-ctx.Done():
			return unavailable(fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err()), 0)
		}
	}
	newest, failure, retryAfter, closedErr := r.state()
	if closedErr != nil {
		return closedErr
	}
	if newest.fetch != set.fetch {
		known, err = newest.keys.verify(t)
	}
	if err == nil || known || newest.fetch > arrived {
		return err
	}
	if failure == nil {
		failure = errNotDue
	}
	// The failure becomes text: an error that it wraps must not count as an answer of Verify.
	return unavailable(fmt.Errorf("%w: %v", ErrUnavailable, failure), retryAfter)
}

// arrive returns the set in use and the number of fetches begun when a token arrives: those that
// begin later have a higher number. If the set is due for a refresh, it starts a fetch.
func (r *remote) arrive() (set fetchedSet, fetches uint64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fetchedSet{}, 0, ErrClosed
	}
	now := time.Now()
	set, fetches = r.inUseLocked(now), r.fetches
	if set.keys != nil && now.Sub(set.began) >= r.refresh {
		r.fetchLocked(now)
	}
	return set, fetches, nil
}

// renew returns a channel that is closed when the fetch in flight ends. It starts a fetch if there
// is none in flight; if the next one may not be made yet, it returns nil.
func (r *remote) renew() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fetchLocked(time.Now())
}

// state returns the set in use, the error of the last fetch, and the time until the next one may
// begin, at least a second.
func (r *remote) state() (set fetchedSet, failure error, retryAfter time.Duration, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return fetchedSet{}, nil, 0, ErrClosed
	}
	now := time.Now()
	retryAfter = max(r.dueLocked(now).Sub(now), time.Second)
	return r.inUseLocked(now), r.failure, retryAfter, nil
}

// inUseLocked returns the last good set, unless it has reached the maximum age.
func (r *remote) inUseLocked(now time.Time) fetchedSet {
	if now.Sub(r.set.began) >= r.maxAge {
		return fetchedSet{}
	}
	return r.set
}

// dueLocked returns the time from which the next fetch may begin.
func (r *remote) dueLocked(now time.Time) time.Time {
	if r.inUseLocked(now).keys == nil {
		return r.attempt.Add(coldInterval)
	}
	return r.attempt.Add(refetchInterval)
}

// fetchLocked returns a channel that is closed when the fetch in flight ends. If there is none in
// flight, it starts one, or returns nil if none may begin yet.
func (r *remote) fetchLocked(now time.Time) <-chan struct{} {
	if r.flight != nil {
		return r.flight
	}
	if now.Before(r.dueLocked(now)) {
		return nil
	}
	r.fetches++
	r.attempt = now
	r.flight = make(chan struct{})
	go r.fetch(fetchedSet{fetch: r.fetches, began: now})
	return r.flight
}

// fetch makes one fetch and stores its result. set has its number and beginning.
func (r *remote) fetch(set fetchedSet) {
	keys, err := r.fetcher.fetch(r.life)
	if err != nil {
		r.logFailure(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		set.keys = keys
		r.set = set
	}
	r.failure = err
	// This comes last, because close returns after it.
	close(r.flight)
	r.flight = nil
}

// logFailure logs the failure of a fetch while a set is in use: Verify does not return it.
func (r *remote) logFailure(err error) {
	r.mu.Lock()
	set := r.set
	r.mu.Unlock()
	if r.logger == nil || set.keys == nil || r.life.Err() != nil {
		return
	}
	r.logger.Warn("jwtauth: key set could not be refreshed; the previous one remains in use",
		"error", err, "age", time.Since(set.began).Round(time.Second), "maxAge", r.maxAge)
}

func (r *remote) close() {
	r.mu.Lock()
	r.closed = true
	flight := r.flight
	r.mu.Unlock()
	r.end()
	if flight != nil {
		<-flight
	}
}
