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

// lingering knows where users linger, so that Disconnect finds the rooms of one user. A user whose
// linger has just ended may still be listed. The zero value is ready.
type lingering struct {
	mu    sync.Mutex // guards the following
	rooms index[*room]
}

func (l *lingering) add(userID string, r *room) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rooms == nil {
		l.rooms = make(index[*room])
	}
	l.rooms.add(userID, r)
}

func (l *lingering) remove(userID string, r *room) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms.remove(userID, r)
}

// of returns the rooms in which a user lingers.
func (l *lingering) of(userID string) []*room {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rooms.appendTo(nil, userID)
}
