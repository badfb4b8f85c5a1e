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
	// refetchInterval is the least time between two fetches while a set serves.
	refetchInterval = 30 * time.Second

	// coldInterval is the least time between two fetches while none does.
	coldInterval = time.Second
)

// remote is the key set behind a URL. Nothing happens in it but through find; the
// goroutine that find may start ends with the fetch, and close waits for it.
type remote struct {
	// Fixed at creation.
	fetcher fetcher
	refresh time.Duration
	maxAge  time.Duration
	logger  *slog.Logger // nil: silent

	// life is that of the remote. A fetch belongs to it and not to the call that
	// started it, since other calls wait for the same fetch.
	life context.Context
	end  context.CancelFunc

	mu      sync.Mutex // guards the following
	closed  bool
	set     keySet        // the last good one, nil: none yet
	loaded  time.Time     // when set was asked for
	attempt time.Time     // when the last fetch began
	failure error         // of the last fetch
	flight  chan struct{} // closed at the end of the fetch under way; nil: none
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

// find returns the key for a token. It waits for a fetch, at most for one, if the
// key is not there and a fetch is under way or due.
func (r *remote) find(ctx context.Context, kid string, a Algorithm) (Key, error) {
	key, flight, err := r.lookup(kid, a, true)
	if flight == nil {
		return key, err
	}
	select {
	case <-flight:
		key, _, err = r.lookup(kid, a, false)
		return key, err
	case <-ctx.Done():
		return Key{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// lookup looks into the set. A flight is what to wait for before looking again;
// then there is no key yet. It is nil if waiting is no use, or not wanted.
func (r *remote) lookup(kid string, a Algorithm, wait bool) (Key, <-chan struct{}, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return Key{}, nil, ErrClosed
	}
	now := time.Now()
	age := now.Sub(r.loaded)
	serves := r.set != nil && age < r.maxAge
	if serves {
		key, err := r.set.find(kid, a)
		if !errors.Is(err, errUnknownKey) {
			if age >= r.refresh {
				r.fetchLocked(now, refetchInterval)
			}
			return key, nil, err
		}
	}
	if wait {
		interval := coldInterval
		if serves {
			interval = refetchInterval
		}
		if flight := r.fetchLocked(now, interval); flight != nil {
			return Key{}, flight, nil
		}
	}
	// A set that serves and could be renewed does not hold the key, so there is
	// none. If the last fetch failed, nobody can say that: the key may be new.
	if serves && r.failure == nil {
		return Key{}, nil, errUnknownKey
	}
	if r.failure == nil {
		return Key{}, nil, ErrUnavailable
	}
	// The cause stays text: what it wraps must not pass for an answer of Verify.
	return Key{}, nil, fmt.Errorf("%w: %v", ErrUnavailable, r.failure)
}

// fetchLocked returns the fetch under way, which it starts unless the last one
// began less than interval ago; then there is none, and it returns nil.
func (r *remote) fetchLocked(now time.Time, interval time.Duration) <-chan struct{} {
	if r.flight != nil {
		return r.flight
	}
	if !r.attempt.IsZero() && now.Sub(r.attempt) < interval {
		return nil
	}
	r.attempt = now
	r.flight = make(chan struct{})
	go r.load()
	return r.flight
}

// load fetches the set, once.
func (r *remote) load() {
	set, err := r.fetcher.fetch(r.life)
	if err != nil {
		r.complain(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.set, r.loaded = set, r.attempt
	}
	r.failure = err
	// Last of all, so that close has waited for everything above.
	close(r.flight)
	r.flight = nil
}

// complain logs a failure that no call returns, because a set serves.
func (r *remote) complain(err error) {
	r.mu.Lock()
	set, loaded := r.set, r.loaded
	r.mu.Unlock()
	if r.logger == nil || set == nil || r.life.Err() != nil {
		return
	}
	r.logger.Warn("jwtauth: key set could not be renewed, the old one serves on",
		"error", err, "age", time.Since(loaded).Round(time.Second), "maxAge", r.maxAge)
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
