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

var errOutage = errors.New("the session store is down")

// answers returns a verifier that always answers the same, and counts.
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
	tests := []struct {
		name     string
		first    error
		second   error // nil: accepted as ann
		want     error // nil: accepted
		calls    int   // of the second
		notMatch error
	}{
		{name: "the first accepts", calls: 0},
		{name: "goes on after no token", first: auth.ErrNoToken, calls: 1},
		{name: "goes on after an invalid token", first: invalid, calls: 1},
		{name: "ends with an expired token", first: expired, want: expired, notMatch: auth.ErrInvalidToken},
		{name: "ends with a wrapped expired token", first: fmt.Errorf("jwt: %w", expired), want: expired},
		{name: "expired outranks invalid", first: errors.Join(auth.ErrInvalidToken, expired), want: expired},
		{name: "ends with an outage", first: errOutage, want: errOutage, notMatch: auth.ErrInvalidToken},
		{name: "ends with a cancelled context", first: context.Canceled, want: context.Canceled},
		{name: "the second is down", first: invalid, second: errOutage, want: errOutage, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "expired at the second", first: invalid, second: expired, want: expired, calls: 1, notMatch: auth.ErrInvalidToken},
		{name: "both refuse", first: invalid, second: auth.ErrInvalidToken, want: auth.ErrInvalidToken, calls: 1},
		{name: "refused and not seen", first: invalid, second: auth.ErrNoToken, want: auth.ErrInvalidToken, calls: 1, notMatch: auth.ErrNoToken},
		{name: "not seen and refused", first: auth.ErrNoToken, second: invalid, want: auth.ErrInvalidToken, calls: 1, notMatch: auth.ErrNoToken},
		{name: "seen by none", first: auth.ErrNoToken, second: auth.ErrNoToken, want: auth.ErrInvalidToken, calls: 1},
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
				t.Errorf("the verifiers were asked %d and %d times, want 1 and %d", one, two, test.calls)
			}
		})
	}
}

func TestFirstOfEmptyToken(t *testing.T) {
	var calls int
	_, err := auth.FirstOf(answers(&calls, auth.Identity{UserID: "ann"}, nil)).Verify(t.Context(), "")
	if !errors.Is(err, auth.ErrNoToken) || calls != 0 {
		t.Errorf("Verify(\"\") = %v after %d calls, want ErrNoToken after none", err, calls)
	}
}

func TestFirstOfKeepsEveryReason(t *testing.T) {
	one := fmt.Errorf("%w: not a token", auth.ErrInvalidToken)
	two := fmt.Errorf("%w: no such session", auth.ErrInvalidToken)
	var calls int
	v := auth.FirstOf(answers(&calls, auth.Identity{}, one), answers(&calls, auth.Identity{}, two))
	_, err := v.Verify(t.Context(), "token")
	if !errors.Is(err, one) || !errors.Is(err, two) {
		t.Errorf("Verify error %v does not hold both reasons", err)
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
