package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

// loginFrom logs in from an address, without a network: the handler sees the remote address.
func loginFrom(handler http.Handler, remote, email, password string, headers ...string) *httptest.ResponseRecorder {
	body := strings.NewReader(fmt.Sprintf(`{"email":%q,"password":%q}`, email, password))
	r := httptest.NewRequest("POST", "/api/login", body)
	r.RemoteAddr = remote + ":1234"
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// stopClock stops the clock of the limits: checking passwords takes long on a busy machine.
func stopClock(a *attempts) {
	now := time.Now()
	for _, b := range []*buckets{a.pairs, a.accounts, a.blocks} {
		b.now = func() time.Time { return now }
	}
}

func retryAfter(t *testing.T, w *httptest.ResponseRecorder) time.Duration {
	t.Helper()
	var seconds int
	if _, err := fmt.Sscan(w.Header().Get("Retry-After"), &seconds); err != nil || seconds < 1 {
		t.Errorf("status %d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	return time.Duration(seconds) * time.Second
}

// While 40 connections guess passwords and comparisons are slow, a login is answered within 3 s,
// and what was not compared does not count.
func TestLoginDuringFlood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), store.Memory)
		if err != nil {
			t.Fatal(err)
		}
		s, err := newService(t.Context(), db, cheap(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.prepareDemo(t.Context(), io.Discard); err != nil {
			t.Fatal(err)
		}
		handler := s.routes()
		for range cap(s.passwords.slots) { // a comparison that takes very long
			s.passwords.slots <- struct{}{}
		}
		var flood sync.WaitGroup
		for i := range 40 {
			flood.Go(func() {
				for try := range 20 {
					w := loginFrom(handler, fmt.Sprintf("198.51.%d.7", i%20), ada, fmt.Sprint("guess", try))
					if w.Code != http.StatusServiceUnavailable {
						t.Errorf("guess during the flood: status %d %s", w.Code, w.Body)
					}
					retryAfter(t, w)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		w := loginFrom(handler, "203.0.113.5", ada, demoPassword)
		if took := time.Since(start); w.Code != http.StatusServiceUnavailable || took > 3*time.Second {
			t.Errorf("a login during the flood: status %d after %v", w.Code, took)
		}
		retryAfter(t, w)
		flood.Wait()

		for range cap(s.passwords.slots) {
			<-s.passwords.slots
		}
		for _, remote := range []string{"203.0.113.5", "198.51.3.9"} {
			if w := loginFrom(handler, remote, ada, demoPassword); w.Code != http.StatusOK {
				t.Errorf("a login after the flood, from %s: status %d %s", remote, w.Code, w.Body)
			}
		}
		if n := len(s.attempts.checking); n != 0 {
			t.Errorf("%d blocks with logins in progress, want none", n)
		}
		if err := s.live.hub.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		s.close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A machine that guesses at every account cannot lock others out, and its own block only for a
// while.
func TestGuessesFromOneBlock(t *testing.T) {
	t.Parallel()
	b := start(t)
	stopClock(b.service.attempts)
	handler := b.service.routes()
	for i := range byBlock.burst {
		email := fmt.Sprintf("unknown%d@example.com", i)
		if w := loginFrom(handler, fmt.Sprintf("198.51.100.%d", i), email, "guess"); w.Code != http.StatusUnauthorized {
			t.Fatalf("guess %d: status %d %s", i, w.Code, w.Body)
		}
	}
	w := loginFrom(handler, "198.51.100.250", ada, demoPassword)
	if wait := retryAfter(t, w); w.Code != http.StatusServiceUnavailable || wait > byBlock.interval {
		t.Errorf("the same block: status %d, %v to wait, want 503 and at most %v", w.Code, wait, byBlock.interval)
	}
	if w := loginFrom(handler, "198.51.101.1", ada, demoPassword); w.Code != http.StatusOK {
		t.Errorf("another block: status %d %s", w.Code, w.Body)
	}

	// Guesses at one account do not lock its owner out elsewhere.
	for range 3 * byAccountAndBlock.burst {
		loginFrom(handler, "192.0.2.1", ben, "guess")
	}
	if w := loginFrom(handler, "192.0.2.1", ben, demoPassword); w.Code != http.StatusTooManyRequests {
		t.Errorf("the block that guessed: status %d %s", w.Code, w.Body)
	}
	if w := loginFrom(handler, "203.0.113.1", ben, demoPassword); w.Code != http.StatusOK {
		t.Errorf("the owner of the account: status %d %s", w.Code, w.Body)
	}
}

func TestBlockOf(t *testing.T) {
	t.Parallel()
	direct, proxied := &service{}, &service{config: config{origin: "https://board.example.com"}}
	for _, c := range []struct {
		service           *service
		remote, forwarded string
		want              string
	}{
		{direct, "192.0.2.77:1", "", "192.0.2.0/24"},
		{direct, "192.0.2.77:1", "203.0.113.1", "192.0.2.0/24"},
		{direct, "[::ffff:192.0.2.77]:1", "", "192.0.2.0/24"},
		{direct, "[2001:db8:1:2:3::4]:1", "", "2001:db8:1:2::/64"},
		{direct, "[fe80::1%eth0]:1", "", "fe80::/64"},
		{direct, "@", "", "invalid Prefix"},
		{proxied, "127.0.0.1:1", "1.2.3.4, 203.0.113.9", "203.0.113.0/24"},
		{proxied, "10.0.0.1:1", "2001:db8::1", "2001:db8::/64"},
		{proxied, "127.0.0.1:1", "", "invalid Prefix"},
		{proxied, "127.0.0.1:1", "nonsense", "invalid Prefix"},
		{proxied, "192.0.2.77:1", "203.0.113.9", "192.0.2.0/24"}, // not from the proxy
	} {
		r := httptest.NewRequest("POST", "/api/login", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := c.service.blockOf(r).String(); got != c.want {
			t.Errorf("blockOf(%s, forwarded for %q) = %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAttempts()
		home := netip.MustParsePrefix("192.0.2.0/24")
		begin := func(block netip.Prefix, account string) *attempt {
			t.Helper()
			attempt, err := a.begin(block, account)
			if err != nil {
				t.Fatalf("begin: %v", err)
			}
			return attempt
		}
		fail := func(block netip.Prefix, account string) {
			t.Helper()
			attempt := begin(block, account)
			attempt.fail()
			attempt.end()
		}
		for range 10 * byBlock.burst { // never compared
			begin(home, "ada").end()
		}
		for range byAccountAndBlock.burst - 1 {
			fail(home, "ada")
		}
		right := begin(home, "ada")
		right.succeed()
		right.end()
		for range byAccountAndBlock.burst {
			fail(home, "ada")
		}
		time.Sleep(byAccountAndBlock.interval / 3)
		var limit *limitError
		if _, err := a.begin(home, "ada"); !errors.As(err, &limit) || !limit.account || limit.wait != byAccountAndBlock.interval*2/3 {
			t.Errorf("begin: %+v, want a limit of the account", limit)
		}
		time.Sleep(byAccountAndBlock.interval * 2 / 3)
		fail(home, "ada")

		// All address blocks together.
		for i := range byAccount.burst {
			fail(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24), "ben")
		}
		if _, err := a.begin(home, "ben"); !errors.As(err, &limit) || !limit.account {
			t.Errorf("begin after guesses from everywhere: %v", err)
		}
		fail(netip.Prefix{}, "cleo") // an unknown address

		// Logins in progress.
		var open []*attempt
		for i := range maxChecking {
			open = append(open, begin(home, fmt.Sprint("dora", i)))
		}
		if _, err := a.begin(home, "dora"); !errors.Is(err, errTooManyLogins) {
			t.Errorf("begin = %v, want %v", err, errTooManyLogins)
		}
		begin(netip.MustParsePrefix("203.0.113.0/24"), "dora").end()
		for _, attempt := range open {
			attempt.end()
		}
		begin(home, "dora").end()
	})
}
