package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
)

var (
	errOutage = errors.New("the session store is down")
	errKeys   = errors.New("the keys could not be fetched")
)

// answers returns a verifier that always returns id and err, and counts its calls.
func answers(calls *int, id auth.Identity, err error) auth.Verifier {
	return auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
		*calls++
		return id, err
	})
}

func TestFirstOf(t *testing.T) {
	ann := auth.Identity{UserID: "ann"}
	expired := &auth.ExpiredError{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	invalid := fmt.Errorf("%w: signature does not match", auth.ErrInvalidToken)
	unavailable := &auth.UnavailableError{RetryAfter: 3 * time.Second, Err: errKeys}
	sooner := &auth.UnavailableError{RetryAfter: time.Second}
	later := fmt.Errorf("jwt: %w", &auth.UnavailableError{RetryAfter: 4 * time.Second})
	tests := []struct {
		name     string
		first    error
		second   error // nil: accepts the token as ann's
		want     error // nil: the token is accepted
		calls    int   // of the second verifier
		notMatch error
	}{
		{name: "first accepts", calls: 0},
		{name: "continues after no token", first: auth.ErrNoToken, calls: 1},
		{name: "continues after an invalid token", first: invalid, calls: 1},
		{name: "stops at an expired token", first: expired, want: expired, notMatch: auth.ErrInvalidToken},
		{name: "stops at a wrapped expired token", first: fmt.Errorf("jwt: %w", expired), want: expired},
		{name: "expired outranks invalid", first: errors.Join(auth.ErrInvalidToken, expired), want: expired},
		{name: "stops at an outage", first: errOutage, want: errOutage, notMatch: auth.ErrInvalidToken},
		{name: "stops at a canceled context", first: context.Canceled, want: context.Canceled},
		{name: "second is down", first: invalid, second: errOutage, want: errOutage, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "expired at the second", first: invalid, second: expired, want: expired, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "both refuse", first: invalid, second: auth.ErrInvalidToken, want: auth.ErrInvalidToken, calls: 1},
		{name: "invalid, then no token", first: invalid, second: auth.ErrNoToken, want: auth.ErrInvalidToken, calls: 1, notMatch: auth.ErrNoToken},
		{name: "no token, then invalid", first: auth.ErrNoToken, second: invalid, want: auth.ErrInvalidToken, calls: 1, notMatch: auth.ErrNoToken},
		{name: "no token from both", first: auth.ErrNoToken, second: auth.ErrNoToken, want: auth.ErrInvalidToken, calls: 1},

		{name: "unavailable, then accepted", first: unavailable, calls: 1},
		{name: "wrapped unavailable, then accepted", first: later, calls: 1},
		{name: "unavailable, then invalid", first: unavailable, second: invalid, want: errKeys, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "unavailable, then no token", first: unavailable, second: auth.ErrNoToken, want: unavailable, calls: 1, notMatch: auth.ErrNoToken},
		{name: "unavailable, then expired", first: unavailable, second: expired, want: expired, calls: 1, notMatch: errKeys},
		{name: "unavailable, then an outage", first: unavailable, second: errOutage, want: errOutage, calls: 1, notMatch: errKeys},
		{name: "invalid, then unavailable", first: invalid, second: unavailable, want: unavailable, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "unavailable outranks invalid", first: errors.Join(auth.ErrInvalidToken, unavailable), second: invalid, want: unavailable, calls: 1},
		{name: "unavailable for a shorter time", first: unavailable, second: sooner, want: sooner, calls: 1, notMatch: errKeys},
		{name: "unavailable for a longer time", first: unavailable, second: later, want: unavailable, calls: 1, notMatch: later},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var one, two int
			v := auth.FirstOf(answers(&one, ann, test.first), answers(&two, ann, test.second))
			id, err := v.Verify(t.Context(), "token")
			if !errors.Is(err, test.want) {
				t.Errorf("Verify error = %v, want %v", err, test.want)
			}
			if test.notMatch != nil && errors.Is(err, test.notMatch) {
				t.Errorf("Verify error %v matches %v", err, test.notMatch)
			}
			want := ann
			if test.want != nil {
				want = auth.Identity{}
			}
			if diff := cmp.Diff(want, id); diff != "" {
				t.Errorf("Verify identity (-want +got):\n%s", diff)
			}
			if one != 1 || two != test.calls {
				t.Errorf("Verify called the verifiers %d and %d times, want 1 and %d", one, two, test.calls)
			}
		})
	}
}

func TestFirstOfEmptyToken(t *testing.T) {
	var calls int
	_, err := auth.FirstOf(answers(&calls, auth.Identity{UserID: "ann"}, nil)).Verify(t.Context(), "")
	if !errors.Is(err, auth.ErrNoToken) || calls != 0 {
		t.Errorf("Verify(\"\") = %v after %d calls, want ErrNoToken after 0", err, calls)
	}
}

func TestFirstOfKeepsEveryReason(t *testing.T) {
	one := fmt.Errorf("%w: not a token", auth.ErrInvalidToken)
	two := fmt.Errorf("%w: no such session", auth.ErrInvalidToken)
	var calls int
	v := auth.FirstOf(answers(&calls, auth.Identity{}, one), answers(&calls, auth.Identity{}, two))
	_, err := v.Verify(t.Context(), "token")
	if !errors.Is(err, one) || !errors.Is(err, two) {
		t.Errorf("Verify error %v does not wrap both reasons", err)
	}
	want := "auth: invalid token: not a token; auth: invalid token: no such session"
	if err.Error() != want {
		t.Errorf("Verify error = %q, want %q", err, want)
	}
}

func TestFirstOfCopiesItsArguments(t *testing.T) {
	var calls int
	list := []auth.Verifier{answers(&calls, auth.Identity{UserID: "ann"}, nil)}
	v := auth.FirstOf(list...)
	list[0] = nil
	if id, err := v.Verify(t.Context(), "token"); err != nil || id.UserID != "ann" {
		t.Errorf("Verify = %v, %v, want ann", id, err)
	}
}

func TestFirstOfPanics(t *testing.T) {
	var calls int
	good := answers(&calls, auth.Identity{}, nil)
	tests := []struct {
		name      string
		verifiers []auth.Verifier
		want      string
	}{
		{"none", nil, "without verifiers"},
		{"nil", []auth.Verifier{good, nil}, "verifier 1 is nil"},
		{"nil func", []auth.Verifier{auth.VerifierFunc(nil), good}, "verifier 0 is nil"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, test.want) {
					t.Errorf("FirstOf panics with %q, want %q in it", got, test.want)
				}
			}()
			auth.FirstOf(test.verifiers...)
		})
	}
}
