package main

import (
	"cmp"
	"encoding/json"
	"net/http"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/examples/cluster/internal/tap"
	"github.com/planrooms/planrooms/protocol"
)

// opened writes what passes on a connection of the viewer to its history. The client hides some of
// it: what it recognizes as a repetition, and the answers to its joins.
func (v *viewer) opened(resp *http.Response) tap.Listener {
	node := cmp.Or(resp.Header.Get(nodeHeader), v.node) // without a balancer it is the only node
	v.history.Record(history.Record{Viewer: v.name, Node: node, What: history.Connect})
	write := func(r history.Record, ok bool) {
		if r.Viewer, r.Node = v.name, node; ok {
			v.history.Record(r)
		}
	}
	return tap.Listener{
		Received: func(text []byte) { write(received(text, v.user)) },
		Sent:     func(text []byte) { write(sent(text)) },
		Closed:   func() { write(history.Record{What: history.Closed}, true) },
	}
}

// sent describes a message of a client. ok is false for those that do not matter here.
func sent(text []byte) (r history.Record, ok bool) {
	var m struct {
		Type   protocol.Type      `json:"type"`
		PlanID string             `json:"planId"`
		Since  *protocol.Position `json:"since"`
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Type != protocol.TypeJoinPlan {
		return r, false
	}
	return history.Record{What: history.Join, Plan: m.PlanID, Since: m.Since}, true
}

// received describes a message of a node to a user.
func received(text []byte, user string) (r history.Record, ok bool) {
	m, err := protocol.Decode(text)
	if err != nil {
		return history.Record{What: history.Other, Reason: err.Error()}, true
	}
	r = history.Record{What: history.Other, Plan: m.PlanID, Seq: m.Seq, Prev: m.Prev, Reason: string(m.Type)}
	var data struct {
		UserID       string                 `json:"userId"`
		Success      bool                   `json:"success"`
		Position     *protocol.Position     `json:"position"`
		Recovered    bool                   `json:"recovered"`
		Reason       string                 `json:"reason"`
		Participants []protocol.Participant `json:"participants"`
	}
	if len(m.Data) > 0 {
		if err := json.Unmarshal(m.Data, &data); err != nil {
			return r, true
		}
	}
	switch m.Type {
	case protocol.TypeJoinPlan:
		if !data.Success {
			r.What, r.User = history.Enter, data.UserID
			break
		}
		r.What, r.Position, r.Recovered = history.Joined, data.Position, data.Recovered
		for _, p := range data.Participants {
			r.Users = append(r.Users, p.UserID)
		}
	case protocol.TypeLeavePlan:
		if r.User = data.UserID; !data.Success && r.User != user {
			r.What = history.Leave
		}
	case protocol.TypeTaskUpdated:
		if t, err := taskOf(m.Data); err == nil {
			r.What, r.Change, r.Reason = history.Frame, t.Change, ""
		}
	case protocol.TypeResync:
		r.What, r.Position, r.Reason = history.Resync, data.Position, data.Reason
	case protocol.TypeRemoved:
		r.What, r.Reason = history.Removed, data.Reason
	case protocol.TypeGoodbye:
		r.What, r.Reason = history.Goodbye, data.Reason
	}
	return r, true
}
