package peer

import "sync"

// rooms is the registry of the implementations that have none.
type rooms[T comparable] struct {
	mu    sync.RWMutex // guards named
	named map[string]*members[T]
}

// members are those of one room: a slice, which is quick to walk, and where in it each one stands.
type members[T comparable] struct {
	mu    sync.RWMutex // guards the fields below
	list  []T
	index map[T]int
}

func newRooms[T comparable]() *rooms[T] { return &rooms[T]{named: map[string]*members[T]{}} }

// each calls f for all members of a room, under the room's lock.
func (rs *rooms[T]) each(room string, f func(T)) {
	rs.mu.RLock()
	m := rs.named[room]
	rs.mu.RUnlock()
	if m == nil {
		return
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, t := range m.list {
		f(t)
	}
}

func (rs *rooms[T]) join(room string, t T) *members[T] {
	rs.mu.Lock()
	m := rs.named[room]
	if m == nil {
		m = &members[T]{index: map[T]int{}}
		rs.named[room] = m
	}
	rs.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.index[t] = len(m.list)
	m.list = append(m.list, t)
	return m
}

// leave may be called more than once.
func (m *members[T]) leave(t T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.index[t]
	if !ok {
		return
	}
	last := len(m.list) - 1
	m.list[i] = m.list[last]
	m.index[m.list[i]] = i
	var zero T
	m.list[last] = zero
	m.list = m.list[:last]
	delete(m.index, t)
}
