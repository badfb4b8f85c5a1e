package record

// Control is the body of a [KindRevoke], [KindDisconnect], [KindRecheck] or [KindClosePlan] record.
// The header names the plan; without one, the record concerns all plans of the user. Its fields are
// the texts ID, Origin, UserID and SessionID, and a byte with OnlySession as bit 0 and SignInAgain
// as bit 1.
type Control struct {
	ID     string // that the record was appended with
	Origin string // name in the engine of the node that waits for the acks
	UserID string // "" for KindClosePlan, and for KindRecheck of a plan

	// Of KindDisconnect.
	SessionID   string
	OnlySession bool // the session alone, not all connections of the user
	SignInAgain bool
}

// Append appends the body.
func (c *Control) Append(dst []byte) []byte {
	dst = appendText(dst, c.ID)
	dst = appendText(dst, c.Origin)
	dst = appendText(dst, c.UserID)
	dst = appendText(dst, c.SessionID)
	return append(dst, flags(c.OnlySession, c.SignInAgain))
}

// ParseControl is the reverse of [Control.Append]. Error: [ErrBody].
func ParseControl(body []byte) (Control, error) {
	r := newReader(body)
	c := Control{ID: r.string(), Origin: r.string(), UserID: r.string(), SessionID: r.string()}
	f := r.byte()
	c.OnlySession, c.SignInAgain = f&1 != 0, f&2 != 0
	return parsed(&r, c)
}
