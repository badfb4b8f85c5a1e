package jwtauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
)

func number(text string) json.RawMessage { return json.RawMessage(text) }

func TestUserID(t *testing.T) {
	digits := strings.Repeat("7", 256)
	tests := []struct {
		name  string
		claim any    // nil: absent
		want  string // empty: refused
	}{
		{"text", "ann", "ann"},
		{"text of digits", "42", "42"},
		{"text of 256 bytes", strings.Repeat("é", 128), strings.Repeat("é", 128)},
		{"text that is not a plain integer", "-0", "-0"},
		{"integer", 42, "42"},
		{"zero", 0, "0"},
		{"negative integer", -42, "-42"},
		{"integer beyond 2^53", number("9007199254740993"), "9007199254740993"},
		{"integer beyond 2^64", number("18446744073709551617"), "18446744073709551617"},
		{"integer of 256 digits", number(digits), digits},

		{"absent", nil, ""},
		{"null", null, ""},
		{"empty text", "", ""},
		{"text of 257 bytes", strings.Repeat("x", 257), ""},
		{"control character", "a\nb", ""},
		{"integer of 257 digits", number(digits + "7"), ""},
		{"fraction", number("42.5"), ""},
		{"fraction of zero", number("42.0"), ""},
		{"exponent", number("42e0"), ""},
		{"capital exponent", number("4E1"), ""},
		{"negative zero", number("-0"), ""},
		{"boolean", true, ""},
		{"array", []any{"ann"}, ""},
		{"object", object{"id": 42}, ""},
	}
	for _, name := range []string{"", "sub", "userId", "https://example.com/user"} {
		called := false
		o := goodOptions()
		o.UserIDClaim = name
		o.Identify = func(_ context.Context, id auth.Identity) (auth.Identity, error) {
			called = true
			return id, nil
		}
		v := newVerifier(t, o)
		claim := name
		if claim == "" {
			claim = "sub"
		}
		for _, test := range tests {
			t.Run(claim+"/"+test.name, func(t *testing.T) {
				called = false
				// No other claim replaces a missing one.
				claims := changeable(goodClaims()).with("id", "bob").with("sub", "bob").with(claim, test.claim)
				id, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
				if id.UserID != test.want || called != (test.want != "") {
					t.Errorf("Verify = %q, %v, called Identify %v; want %q", id.UserID, err, called, test.want)
				}
				if test.want == "" && (!errors.Is(err, auth.ErrInvalidToken) || !strings.Contains(err.Error(), "claim "+claim+" missing")) {
					t.Errorf("Verify = %v, want ErrInvalidToken that names %s", err, claim)
				}
				if test.want != "" && id.Name != test.want {
					t.Errorf("Name = %q, want %q", id.Name, test.want)
				}
			})
		}
	}
}

// TestClaimsAreExact has numbers that a float64 cannot represent, at every depth.
func TestClaimsAreExact(t *testing.T) {
	numbers := []string{
		"9007199254740992", "9007199254740993", "-9223372036854775808", "18446744073709551615",
		"0.1", "1.10", "1e999", "-0", "3.141592653589793238462643383279",
	}
	var got auth.Identity
	o := goodOptions()
	o.Identify = func(_ context.Context, id auth.Identity) (auth.Identity, error) {
		got = id
		return id, nil
	}
	v := newVerifier(t, o)
	for _, text := range numbers {
		n := number(text)
		claims := changeable(goodClaims()).with("n", n).with("list", []any{n}).with("nested", object{"n": []any{object{"n": n}}})
		id, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
		if err != nil {
			t.Errorf("Verify with %s = %v", text, err)
			continue
		}
		want := json.Number(text)
		for _, claims := range []map[string]any{got.Claims, id.Claims} {
			diff := cmp.Diff([]any{want, []any{want}, object{"n": []any{object{"n": want}}}}, []any{claims["n"], claims["list"], claims["nested"]})
			if diff != "" {
				t.Errorf("claims with %s (-want +got):\n%s", text, diff)
			}
		}
	}
}

func TestNumericDates(t *testing.T) {
	tests := []struct {
		exp  string
		want time.Time // zero: refused
	}{
		{"32503680000", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"32503680000.0", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"32503680000.5", time.Date(3000, 1, 1, 0, 0, 0, 5e8, time.UTC)},
		{"3.250368e10", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"325036800000E-1", time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"253402300799", time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		{"253402300800", time.Time{}},
		{"2.534023008e11", time.Time{}},
		{"9223372036854775807", time.Time{}},
		{"9223372036854775808", time.Time{}},
		// These would take a lot of time or memory if they were expanded.
		{"1e2147483647", time.Time{}},
		{"1e999999999999999999", time.Time{}},
		{"1e" + strings.Repeat("9", 4000), time.Time{}},
		{"-1", time.Time{}},
		{"-0.5", time.Time{}},
		{strings.Repeat("9", 4000), time.Time{}},
	}
	v := newVerifier(t, goodOptions())
	for _, test := range tests {
		claims := changeable(goodClaims()).with("exp", number(test.exp))
		id, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), claims))
		if !id.ExpiresAt.Equal(test.want) || (err == nil) == test.want.IsZero() || err != nil && !errors.Is(err, auth.ErrInvalidToken) {
			t.Errorf("Verify with exp %.40s = %v, %v, want %v", test.exp, id.ExpiresAt, err, test.want)
		}
	}
	// A tiny number is a time in 1970, whatever its exponent.
	for _, exp := range []string{"0", "-0", "0.0001", "1e-999999999999999999", "0e999999999999999999"} {
		expect(t, v, token("EdDSA", edKey(), header("EdDSA", "d1"), changeable(goodClaims()).with("exp", number(exp))), expired, exp)
	}
}

func TestRequiredClaims(t *testing.T) {
	o := goodOptions()
	o.RequiredClaims = object{"use": "access", "admin": false, "level": 3, "share": 0.5}
	v := newVerifier(t, o)
	good := changeable(goodClaims()).with("use", "access").with("admin", false).with("level", 3).with("share", 0.5)
	tests := []struct {
		name   string
		claims changeable
		ok     bool
	}{
		{"all", good, true},
		{"one missing", good.with("use", nil), false},
		{"number missing", good.with("level", nil), false},
		{"null", good.with("admin", null), false},
		{"another text", good.with("use", "refresh"), false},
		{"another type", good.with("admin", "false"), false},
		{"another number", good.with("level", 3.5), false},
		{"a number as text", good.with("level", "3"), false},
		{"a text as number", good.with("use", 3), false},
		{"an array", good.with("use", []string{"access"}), false},
		{"an object", good.with("use", object{"access": true}), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), token("EdDSA", edKey(), header("EdDSA", "d1"), test.claims))
			if (err == nil) != test.ok || err != nil && !errors.Is(err, auth.ErrInvalidToken) {
				t.Errorf("Verify = %v, want accepted %v", err, test.ok)
			}
		})
	}
}

// TestRequiredNumbers compares numbers by value and exactly.
func TestRequiredNumbers(t *testing.T) {
	tests := []struct {
		want    any
		equal   []string
		unequal []string
	}{
		{42, []string{"42", "42.0", "4.2e1", "4.2E+01", "420e-1", "0.42e2", "42.000"}, []string{"-42", "42.0000000000000000000001", "4.2", "420", "43", "42e2147483647", "42e-2147483648", "42e999999999999999999"}},
		{0, []string{"0", "-0", "0.00", "0e5", "-0.0E-7", "0e999999999999999999"}, []string{"1", "0.1", "1e-999999999999999999"}},
		{-7, []string{"-7", "-7.0", "-70e-1"}, []string{"7", "-70"}},
		{100, []string{"100", "1e2", "1.0e+2", "0.001e5"}, []string{"10", "1000", "1e3"}},
		{int64(9007199254740993), []string{"9007199254740993", "9007199254740993.0"}, []string{"9007199254740992", "9007199254740994", "9.007199254740992e15"}},
		{int64(math.MinInt64), []string{"-9223372036854775808"}, []string{"9223372036854775808", "-9223372036854775807"}},
		{0.1, []string{"0.1", "0.10", "1e-1"}, []string{"0.1000000000000000055511151231257827", "0.2"}},
		{0.05, []string{"0.05", "5e-2", "0.5E-1"}, []string{"0.5", "0.005"}},
		{1.5e300, []string{"1.5e300", "15e299", "15" + strings.Repeat("0", 299)}, []string{"1.5e301"}},
		{1e21, []string{"1e21", "1000000000000000000000"}, []string{"1e22"}},
		{42.0, []string{"42", "42.0"}, []string{"42.5"}},
	}
	for _, test := range tests {
		o := goodOptions()
		o.RequiredClaims = object{"n": test.want}
		v := newVerifier(t, o)
		check := func(text string, want outcome) {
			t.Helper()
			claims := changeable(goodClaims()).with("n", number(text))
			expect(t, v, token("EdDSA", edKey(), header("EdDSA", "d1"), claims), want, strconv.Quote(text))
		}
		for _, text := range test.equal {
			check(text, accepted)
		}
		for _, text := range test.unequal {
			check(text, refused)
		}
	}
}
