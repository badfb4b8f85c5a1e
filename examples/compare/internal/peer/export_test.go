package peer

// Rooms is the registry, of numbers.
type Rooms struct{ rooms *rooms[int] }

func NewRooms() Rooms { return Rooms{newRooms[int]()} }

func (r Rooms) Each(room string, f func(int)) { r.rooms.each(room, f) }

// Join returns what takes the number out again.
func (r Rooms) Join(room string, i int) (leave func()) {
	m := r.rooms.join(room, i)
	return func() { m.leave(i) }
}
