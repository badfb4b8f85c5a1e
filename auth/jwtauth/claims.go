package jwtauth

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// skew is how far the issuer's clock may be ahead of ours.
	skew = 30 * time.Second

	// maxTextBytes is the maximum length of a user ID, a session ID, a name and an email
	// address.
	maxTextBytes = 256

	// maxNumericDate is the last second of the year 9999.
	maxNumericDate = 253402300799
)

// checkClaims checks all claims except whether exp has passed, and returns exp.
func (v *Verifier) checkClaims(claims map[string]any, now time.Time) (exp time.Time, err error) {
	if _, ok := userID(claims[v.userIDClaim]); !ok {
		return time.Time{}, v.errUserID
	}
	if _, ok := sessionID(claims[v.sessionIDClaim]); !ok {
		return time.Time{}, v.errSessionID
	}
	if v.issuer != "" && claims["iss"] != v.issuer {
		return time.Time{}, errIssuer
	}
	if v.audience != "" && !containsAudience(claims["aud"], v.audience) {
		return time.Time{}, errAudience
	}
	if !begun(claims["nbf"], now) {
		return time.Time{}, errNotBefore
	}
	if !begun(claims["iat"], now) {
		return time.Time{}, errIssuedAt
	}
	for name, want := range v.required {
		if !equalClaim(claims[name], want) {
			return time.Time{}, errRequired
		}
	}
	exp, ok := numericDate(claims["exp"])
	if !ok {
		return time.Time{}, errExpiry
	}
	return exp, nil
}

// userID returns the user ID in a claim: a valid text, or the digits of an integer. A number with a
// fraction, an exponent or a negative zero is refused, because other software may write the same
// number in another form, and one user would have two IDs.
func userID(claim any) (string, bool) {
	switch claim := claim.(type) {
	case string:
		return claim, validText(claim)
	case json.Number:
		text := claim.String()
		return text, validText(text) && text != "-0" && !strings.ContainsAny(text, ".eE")
	}
	return "", false
}

// sessionID returns the session ID in a claim, which is "" if the claim is absent.
func sessionID(claim any) (string, bool) {
	if claim == nil {
		return "", true
	}
	return userID(claim)
}

// containsAudience reports whether aud, a string or an array of strings, contains want.
func containsAudience(aud any, want string) bool {
	list, ok := aud.([]any)
	if !ok {
		return aud == want
	}
	return slices.Contains(list, any(want))
}

// begun reports whether the time in a claim has come, or the claim is absent.
func begun(claim any, now time.Time) bool {
	if claim == nil {
		return true
	}
	at, ok := numericDate(claim)
	return ok && !now.Add(skew).Before(at)
}

// numericDate returns the time in a claim: seconds since 1970, possibly with a fraction (RFC 7519,
// section 2).
func numericDate(claim any) (time.Time, bool) {
	number, ok := claim.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	if seconds, err := strconv.ParseInt(number.String(), 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC(), seconds >= 0 && seconds <= maxNumericDate
	}
	// A number beyond the range of float64 is an error here, whatever its exponent.
	seconds, err := strconv.ParseFloat(number.String(), 64)
	if err != nil || seconds < 0 || seconds > maxNumericDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// validText reports whether s is 1 to 256 bytes of UTF-8 without control characters. It refuses the
// replacement character too: the JSON decoder writes it for half a surrogate pair, so that two
// different texts could become the same one.
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
