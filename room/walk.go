package room

import (
	"iter"
	"sync"
)

// walkStep is how many elements of a map are collected before its lock is released for a moment.
// The elements of a map of 100,000 take some 10 ms, one step 0.1 ms.
const walkStep = 1024

// collect returns the elements of seq, which iterates over a map that lock guards. It releases the
// lock every walkStep elements, so that no caller waits for the whole walk. An element that is
// added or removed meanwhile may or may not be in the result.
func collect[T any](lock sync.Locker, seq iter.Seq[T]) (list []T) {
	lock.Lock()
	defer lock.Unlock()
	for v := range seq { // may continue after a change of the map (Go specification, "For range")
		if list = append(list, v); len(list)%walkStep == 0 {
			lock.Unlock()
			lock.Lock()
		}
	}
	return list
}
