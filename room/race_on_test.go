//go:build race

package room_test

// raceEnabled reports that the race detector is on: tests with tens of thousands of connections use
// fewer, and tests of allocations allow for pools that drop buffers at random.
const raceEnabled = true
