package room

// departure is how a connection leaves a room, and why.
type departure struct {
	manner departureManner
	reason LeaveReason
}

// departureManner is when the other members get the news.
type departureManner uint8

const (
	departLinger departureManner = iota // later: the user may return at once, after a reload
	departNow                           // at once
	departSilent                        // never: the hub shuts down
)
