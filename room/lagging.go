package room

import (
	"cmp"
	"slices"
	"time"
)

// LaggingConnection is a connection in a room that has not taken everything yet. See [Hub.Lagging].
type LaggingConnection struct {
	UserID   string    `json:"userId"`
	ClientID string    `json:"clientId"`
	Written  uint64    `json:"written"`        // all events up to this seq were written, maybe more
	Since    time.Time `json:"since,omitzero"` // since when it does not keep up; zero if it does
}

// Lagging returns at most limit connections in the room of a plan that have not taken everything
// yet, sorted by how much they miss, most first. Most of them have just joined, or catch up within
// milliseconds. One with Since does not keep up: its socket is full, or more waits for it than the
// hub writes to one connection in a row.
func (h *Hub) Lagging(planID string, limit int) []LaggingConnection {
	r := h.lookup(planID)
	if r == nil {
		return nil
	}
	list := make([]LaggingConnection, 0, len(r.lagging))
	for _, f := range r.lagging {
		p := f.progressLocked()
		c := LaggingConnection{UserID: f.out.viewer.userID, ClientID: f.out.viewer.clientID, Written: p.written}
		if p.slow != 0 {
			c.Since = h.start.Add(p.slow)
		}
		list = append(list, c)
	}
	r.mu.Unlock()
	slices.SortFunc(list, func(a, b LaggingConnection) int { return cmp.Compare(a.Written, b.Written) })
	return list[:min(len(list), max(limit, 0))]
}
