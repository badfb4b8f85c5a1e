//go:build race

package tenure_test

// raceEnabled reports that the race detector is on.
const raceEnabled = true
