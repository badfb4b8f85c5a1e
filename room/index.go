package room

import "sync"

// index is a set of values for each user.
type index[V comparable] map[string]map[V]struct{}

func (x index[V]) add(userID string, v V) {
	set := x[userID]
	if set == nil {
		set = make(map[V]struct{}, 1)
		x[userID] = set
	}
	set[v] = struct{}{}
}

func (x index[V]) remove(userID string, v V) {
	set := x[userID]
	if delete(set, v); len(set) == 0 {
		delete(x, userID)
	}
}

// appendTo appends the values of a user to list.
func (x index[V]) appendTo(list []V, userID string) []V {
	for v := range x[userID] {
		list = append(list, v)
	}
	return list
}

// count returns the number of values of all users.
func (x index[V]) count() (n int) {
	for _, set := range x {
		n += len(set)
	}
	return n
}

// lockedIndex is an index that has a lock. The zero value is ready.
type lockedIndex[V comparable] struct {
	mu    sync.Mutex // guards the following; no other lock is taken under it
	index index[V]
}

func (x *lockedIndex[V]) add(userID string, v V) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.index == nil {
		x.index = make(index[V])
	}
	x.index.add(userID, v)
}

func (x *lockedIndex[V]) remove(userID string, v V) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.index.remove(userID, v)
}

// of returns the values of a user.
func (x *lockedIndex[V]) of(userID string) []V {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.index.appendTo(nil, userID)
}
