package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/examples/cluster/internal/tap"
	"github.com/planrooms/planrooms/protocol"
)

// opened writes what passes on a connection of the viewer to its history. The client hides some of
// it: what it recognizes as a repetition, and the answers to its joins.
func (v *viewer) opened(resp *http.Response) tap.Listener {
	node := cmp.Or(resp.Header.Get(nodeHeader), v.node) // without a balancer it is the only node
	write := func(r history.Record) {
		r.Viewer, r.Node = v.name, node
		v.history.Record(r)
		v.observe(r)
	}
	write(history.Record{What: history.Connect})
	return tap.Listener{
		Received: func(text []byte) { write(received(text, v.user)) },
		Sent: func(text []byte) {
			if r, ok := sent(text); ok {
				write(r)
			}
		},
		Closed: func() { write(history.Record{What: history.Closed}) },
	}
}

// sent describes a message of a client. ok is false for those that do not matter here.
func sent(text []byte) (r history.Record, ok bool) {
	var m struct {
		Type   protocol.Type      `json:"type"`
		PlanID string             `json:"planId"`
		Since  *protocol.Position `json:"since"`
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return history.Record{What: history.Unreadable, Reason: "the client sent: " + err.Error()}, true
	}
	return history.Record{What: history.Join, Plan: m.PlanID, Since: m.Since}, m.Type == protocol.TypeJoinPlan
}

// received describes a message of a node to a user.
func received(text []byte, user string) history.Record {
	m, err := protocol.Decode(text)
	if err != nil {
		return history.Record{What: history.Unreadable, Reason: err.Error()}
	}
	r := history.Record{What: history.Other, Plan: m.PlanID, Seq: m.Seq, Prev: m.Prev, Reason: string(m.Type)}
	if err := describe(&r, m, user); err != nil {
		r.What, r.Reason = history.Unreadable, fmt.Sprintf("%s: %v", m.Type, err)
	}
	return r
}

// describe adds what is in the data of a message.
func describe(r *history.Record, m protocol.Message, user string) error {
	switch m.Type {
	case protocol.TypeTaskUpdated:
		t, err := taskOf(m.Data)
		if err == nil && t.Change == 0 {
			err = errors.New("it has no change")
		}
		r.What, r.Change, r.Reason = history.Frame, t.Change, ""
		return err
	case protocol.TypeReceipt:
		r.What, r.Reason = history.Receipt, ""
		return nil
	case protocol.TypeError:
		var data protocol.Error
		err := json.Unmarshal(m.Data, &data)
		if data.Re == protocol.TypeJoinPlan {
			r.What, r.Reason = history.Refused, string(data.Code)
		}
		return err
	case protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypeResync, protocol.TypeRemoved, protocol.TypeGoodbye:
	default:
		return nil
	}
	var data struct {
		UserID       string                 `json:"userId"`
		Success      bool                   `json:"success"`
		Position     *protocol.Position     `json:"position"`
		Recovered    bool                   `json:"recovered"`
		Reason       string                 `json:"reason"`
		Participants []protocol.Participant `json:"participants"`
	}
	if err := json.Unmarshal(m.Data, &data); err != nil {
		return err
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
	case protocol.TypeResync:
		r.What, r.Position, r.Reason = history.Resync, data.Position, data.Reason
	case protocol.TypeRemoved:
		r.What, r.Reason = history.Removed, data.Reason
	case protocol.TypeGoodbye:
		r.What, r.Reason = history.Goodbye, data.Reason
	}
	return nil
}
