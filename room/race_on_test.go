//go:build race

package room_test

// raceEnabled reports that the race detector is on: tests with tens of thousands of connections use
// fewer.
const raceEnabled = true
