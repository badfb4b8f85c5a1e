package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth"
)

func TestUnavailableError(t *testing.T) {
	cause := errors.New("keys: connection refused")
	err := error(&auth.UnavailableError{RetryAfter: time.Second, Err: cause})
	if want := "auth: verifier unavailable: keys: connection refused"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}
	if !errors.Is(err, cause) {
		t.Error("an UnavailableError does not match its cause")
	}
	if errors.Is(err, auth.ErrInvalidToken) || errors.Is(err, auth.ErrNoToken) {
		t.Error("an UnavailableError matches an error about the token")
	}
	err = &auth.UnavailableError{}
	if want := "auth: verifier unavailable"; err.Error() != want {
		t.Errorf("Error() without a cause = %q, want %q", err, want)
	}
}
