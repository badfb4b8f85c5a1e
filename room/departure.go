package room

// departure is how a connection leaves a room.
type departure uint8

const (
	departLinger departure = iota // it may come back at once: a reload
	departNow                     // it left, or was removed
	departSilent                  // the hub shuts down
)
