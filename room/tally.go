package room

import "sync/atomic"

// tally counts events by a key of a fixed set, so that the key can be the label of a metric.
type tally[K comparable] struct {
	keys   []K // fixed at creation
	counts []atomic.Uint64
}

// newTally returns a tally of these keys. Keys that are not in the set count as the last one.
func newTally[K comparable](keys ...K) tally[K] {
	return tally[K]{keys: keys, counts: make([]atomic.Uint64, len(keys))}
}

// add counts an event and returns the key that it was counted under.
func (t *tally[K]) add(key K) K {
	i := 0
	for i < len(t.keys)-1 && t.keys[i] != key {
		i++
	}
	t.counts[i].Add(1)
	return t.keys[i]
}

// load returns the counts that are not zero, by key; nil if all are.
func (t *tally[K]) load() map[K]uint64 {
	var m map[K]uint64
	for i, key := range t.keys {
		if n := t.counts[i].Load(); n > 0 {
			if m == nil {
				m = make(map[K]uint64)
			}
			m[key] = n
		}
	}
	return m
}
