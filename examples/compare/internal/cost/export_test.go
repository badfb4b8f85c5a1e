package cost

import "github.com/planrooms/planrooms/examples/compare/internal/node"

var (
	ErrDoubled = errDoubled
	ErrAstray  = errAstray
	ErrOrder   = errOrder
)

// Arrived is the method arrived of a Load of events that were published between two times.
func Arrived(published node.Published, viewed ...node.Viewed) (*Load, error) {
	l := &Load{}
	return l, l.arrived(published, viewed)
}

// Number is number.
func Number(v float64) string { return number(v) }
