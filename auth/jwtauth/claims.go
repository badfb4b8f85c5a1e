package jwtauth

import (
	"math"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// skew is by how much the clock of who issued the token may be ahead of ours.
	skew = 30 * time.Second

	// maxTextBytes is the length of the longest sub, name and email.
	maxTextBytes = 256

	// maxNumericDate is the last second of the year 9999.
	maxNumericDate = 253402300799
)

// checkClaims checks every claim but exp, whose failure has another meaning.
func (v *Verifier) checkClaims(claims map[string]any, now time.Time) error {
	if sub, ok := claims["sub"].(string); !ok || !validText(sub) {
		return errSubject
	}
	if v.issuer != "" && claims["iss"] != v.issuer {
		return errIssuer
	}
	if v.audience != "" && !holdsAudience(claims["aud"], v.audience) {
		return errAudience
	}
	if !begun(claims, "nbf", now) {
		return errNotBefore
	}
	if !begun(claims, "iat", now) {
		return errIssuedAt
	}
	for name, want := range v.required {
		// What is wanted is a string, a boolean or a number, never nil: the comparison
		// is safe, and fails for a claim that is missing.
		if claims[name] != want {
			return errRequired
		}
	}
	if _, ok := numericDate(claims["exp"]); !ok {
		return errExpiry
	}
	return nil
}

// holdsAudience reports whether aud, a string or an array of strings, holds want.
func holdsAudience(aud any, want string) bool {
	list, ok := aud.([]any)
	if !ok {
		return aud == want
	}
	return slices.Contains(list, any(want))
}

// begun reports whether the moment that the claim names, if it is there, has come.
func begun(claims map[string]any, name string, now time.Time) bool {
	value, present := claims[name]
	if !present {
		return true
	}
	at, ok := numericDate(value)
	return ok && !now.Add(skew).Before(at)
}

// numericDate reads seconds since 1970, which may have a fraction (RFC 7519, 2).
func numericDate(value any) (time.Time, bool) {
	seconds, ok := value.(float64)
	if !ok || seconds < 0 || seconds > maxNumericDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// validText reports whether s is 1 to 256 bytes without control characters. The
// replacement character is refused as well: the JSON decoder puts it in place of
// half a surrogate pair, and so two different names could become the same.
func validText(s string) bool {
	if s == "" || len(s) > maxTextBytes || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}
