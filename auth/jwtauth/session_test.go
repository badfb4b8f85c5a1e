package jwtauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestSessionID(t *testing.T) {
	tests := []struct {
		name    string
		claim   any // nil: absent
		want    string
		refused bool
	}{
		{name: "text", claim: "s-1", want: "s-1"},
		{name: "text of 256 bytes", claim: strings.Repeat("x", 256), want: strings.Repeat("x", 256)},
		{name: "integer", claim: 42, want: "42"},
		{name: "absent"},
		{name: "null", claim: null},

		{name: "empty text", claim: "", refused: true},
		{name: "text of 257 bytes", claim: strings.Repeat("x", 257), refused: true},
		{name: "control character", claim: "a\nb", refused: true},
		{name: "fraction", claim: number("4.2"), refused: true},
		{name: "boolean", claim: true, refused: true},
		{name: "object", claim: object{"id": "s"}, refused: true},
	}
	for _, name := range []string{"", "sid", "session"} {
		o := goodOptions()
		o.SessionIDClaim = name
		v := newVerifier(t, o)
		claim := name
		if claim == "" {
			claim = "sid"
		}
		for _, test := range tests {
			t.Run(claim+"/"+test.name, func(t *testing.T) {
				// No other claim is taken for it.
				claims := changeable(goodClaims()).with("jti", "j").with("sid", "other").with(claim, test.claim)
				id, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
				if id.SessionID != test.want || (err != nil) != test.refused {
					t.Errorf("Verify = session %q, %v; want %q, refused %v", id.SessionID, err, test.want, test.refused)
				}
				if test.refused && (!errors.Is(err, auth.ErrInvalidToken) || !strings.Contains(err.Error(), "claim "+claim+" malformed")) {
					t.Errorf("Verify = %v, want ErrInvalidToken that names %s", err, claim)
				}
			})
		}
	}
	o := goodOptions()
	o.SessionIDClaim = "jti"
	if _, err := jwtauth.New(o); err == nil {
		t.Error("New accepted the claim jti, which changes at each renewal")
	}
}

// Identify may replace the session, but not by one that could not be in a claim.
func TestSessionIDOfIdentify(t *testing.T) {
	for session, ok := range map[string]bool{"": true, "other": true, "a\nb": false, strings.Repeat("x", 257): false} {
		o := goodOptions()
		o.Identify = func(_ context.Context, id auth.Identity) (auth.Identity, error) {
			if id.SessionID != "s" {
				t.Errorf("Identify gets session %q, want s", id.SessionID)
			}
			id.SessionID = session
			return id, nil
		}
		claims := changeable(goodClaims()).with("sid", "s")
		id, err := newVerifier(t, o).Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
		if (err == nil) != ok || ok && id.SessionID != session {
			t.Errorf("Verify = session %.20q, %v; want %.20q, accepted %v", id.SessionID, err, session, ok)
		}
		if errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("Verify = %v, an error about the token; want another error", err)
		}
	}
}
