package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
)

func TestStatic(t *testing.T) {
	identities := map[string]auth.Identity{"secret-1": {UserID: "ann", Name: "Ann"}}
	v := auth.Static(identities)
	clear(identities)

	id, err := v.Verify(t.Context(), "secret-1")
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	if diff := cmp.Diff(auth.Identity{UserID: "ann", Name: "Ann"}, id); diff != "" {
		t.Errorf("Verify (-want +got):\n%s", diff)
	}
	if _, err := v.Verify(t.Context(), ""); !errors.Is(err, auth.ErrNoToken) {
		t.Errorf("Verify(\"\") = %v, want ErrNoToken", err)
	}
	if _, err := v.Verify(t.Context(), "secret-2"); !errors.Is(err, auth.ErrInvalidToken) || strings.Contains(err.Error(), "secret") {
		t.Errorf("Verify of an unknown token = %v, want ErrInvalidToken without the token", err)
	}
}

func TestStaticExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(time.Minute)
		v := auth.Static(map[string]auth.Identity{"token": {UserID: "ann", ExpiresAt: at}})
		time.Sleep(time.Minute - 1)
		if _, err := v.Verify(t.Context(), "token"); err != nil {
			t.Errorf("Verify just before ExpiresAt = %v", err)
		}
		time.Sleep(time.Nanosecond)
		_, err := v.Verify(t.Context(), "token")
		var expired *auth.ExpiredError
		if !errors.As(err, &expired) || !expired.At.Equal(at) || errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("Verify at ExpiresAt = %v, want only an ExpiredError", err)
		}
	})
}

func TestStaticPanics(t *testing.T) {
	for name, identities := range map[string]map[string]auth.Identity{
		"a token is empty":          {"": {UserID: "ann"}},
		"an Identity has no UserID": {"secret": {}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, name) || strings.Contains(got, "secret") {
					t.Errorf("Static panics with %q, want %q in it", got, name)
				}
			}()
			auth.Static(identities)
		})
	}
}

func TestExpiredError(t *testing.T) {
	err := &auth.ExpiredError{At: time.Date(2026, 1, 2, 4, 4, 5, 0, time.FixedZone("", 3600))}
	if want := "auth: token expired at 2026-01-02T03:04:05Z"; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err, want)
	}
	if errors.Is(err, auth.ErrInvalidToken) || errors.Is(err, auth.ErrNoToken) {
		t.Error("an ExpiredError matches another kind of error")
	}
}
