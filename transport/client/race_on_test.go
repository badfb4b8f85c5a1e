//go:build race

package client_test

// raceEnabled reports that the test runs with the race detector, which multiplies the memory of a
// goroutine.
const raceEnabled = true
