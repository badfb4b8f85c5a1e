package jwtauth

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// requiredValues returns Options.RequiredClaims in the form that equalClaim compares: strings,
// booleans and decimals.
func requiredValues(claims map[string]any) (map[string]any, error) {
	values := make(map[string]any, len(claims))
	for name, value := range claims {
		switch value := value.(type) {
		case string, bool:
			values[name] = value
		case int:
			values[name] = parseDecimal(strconv.Itoa(value))
		case int64:
			values[name] = parseDecimal(strconv.FormatInt(value, 10))
		case float64:
			if math.IsNaN(value) || math.IsInf(value, 0) {
				return nil, fmt.Errorf("jwtauth: Options.RequiredClaims[%q] is not a finite number", name)
			}
			// The shortest form is the one that the source code of a program has, such as 0.1.
			values[name] = parseDecimal(strconv.FormatFloat(value, 'g', -1, 64))
		default:
			return nil, fmt.Errorf("jwtauth: Options.RequiredClaims[%q] has the unsupported type %T", name, value)
		}
	}
	return values, nil
}

// equalClaim reports whether a claim has the value that requiredValues returned. Numbers are
// compared exactly, in whatever form they are written: 42, 42.0 and 4.2e1 are equal.
func equalClaim(claim, want any) bool {
	if number, ok := claim.(json.Number); ok {
		return parseDecimal(number.String()) == want
	}
	// want is a string, a boolean or a decimal, so the comparison cannot panic.
	return claim == want
}

// decimal is the number ±0.digits × 10^exponent, where digits neither begins nor ends with a zero.
// Equal numbers are equal decimals. The zero value is 0.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal parses a JSON number.
func parseDecimal(number string) decimal {
	mantissa, exponent := number, 0
	if e := strings.IndexAny(number, "eE"); e >= 0 {
		mantissa = number[:e]
		// Beyond the range of int, Atoi returns the nearest int. It is not the exponent of any
		// required number.
		exponent, _ = strconv.Atoi(number[e+1:])
	}
	mantissa, negative := strings.CutPrefix(mantissa, "-")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	exponent += len(digits) - len(fraction)
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return decimal{}
	}
	return decimal{negative, digits, exponent}
}
