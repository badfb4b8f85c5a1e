package history

import (
	"slices"
	"time"
)

// Recovery is how a viewer came back after its node had died.
type Recovery struct {
	Viewer string
	Node   string        // where it is now
	After  time.Duration // until it had everything again; negative: it never had
}

// Recoveries returns how the viewers that were connected to node at a time came back. A viewer has
// everything again when it has been answered by another node in each plan, and has, of each plan,
// the changes that had been acknowledged at that time.
func Recoveries(records []Record, attempts []Attempt, node string, at time.Time) []Recovery {
	acknowledged := make(map[string]uint64)
	for _, a := range attempts {
		if a.Result == Acknowledged && !a.Time.After(at) {
			acknowledged[a.Plan] = a.Change
		}
	}
	type state struct {
		node   string
		hit    bool
		plans  map[string]bool // those that have everything
		change map[string]uint64
		done   bool
		found  Recovery
	}
	viewers := make(map[string]*state)
	var order []string
	for _, one := range records {
		s := viewers[one.Viewer]
		if s == nil {
			s = &state{plans: make(map[string]bool), change: make(map[string]uint64)}
			viewers[one.Viewer] = s
			order = append(order, one.Viewer)
		}
		after := one.Time.After(at)
		if after && !s.hit && s.node == node {
			s.hit = true
			for plan := range s.plans {
				s.plans[plan] = false
			}
		}
		switch one.What {
		case Connect:
			s.node = one.Node
		case Closed:
			if s.node == one.Node && !after {
				s.node = ""
			}
		case Joined:
			s.plans[one.Plan] = !after || one.Node != node
		case Event, Load:
			s.change[one.Plan] = max(s.change[one.Plan], one.Change)
		}
		if !s.hit || s.done || s.node == node {
			continue
		}
		whole := len(s.plans) > 0
		for plan, back := range s.plans {
			whole = whole && back && s.change[plan] >= acknowledged[plan]
		}
		if whole {
			s.done, s.found = true, Recovery{one.Viewer, s.node, one.Time.Sub(at)}
		}
	}
	var list []Recovery
	for _, name := range order {
		switch s := viewers[name]; {
		case s.done:
			list = append(list, s.found)
		case s.hit:
			list = append(list, Recovery{name, s.node, -1})
		}
	}
	return list
}

// Between returns the events that viewers received from a node after one time and not after
// another.
func Between(records []Record, node string, viewers []string, from, to time.Time) (list []Record) {
	for _, one := range records {
		if one.What == Frame && one.Node == node && one.Time.After(from) && !one.Time.After(to) && slices.Contains(viewers, one.Viewer) {
			list = append(list, one)
		}
	}
	return list
}

// Departure is what one viewer received about a user who left.
type Departure struct {
	Viewer, User string
	Leaves       int           // messages
	Enters       int           // messages after the first leave
	After        time.Duration // until the first leave
	Joined       bool          // the viewer has got a list meanwhile, which may show it, too
}

// Departures returns what the viewers of a plan received after a time about users who left then.
func Departures(records []Record, plan string, users []string, at time.Time) (list []Departure) {
	type key struct{ viewer, user string }
	all := make(map[key]*Departure)
	viewers := make(map[string]bool)
	for _, one := range records {
		if one.Plan != plan {
			continue
		}
		if !viewers[one.Viewer] {
			viewers[one.Viewer] = true
			for _, u := range users {
				all[key{one.Viewer, u}] = &Departure{Viewer: one.Viewer, User: u}
			}
		}
		if !one.Time.After(at) {
			continue
		}
		d := all[key{one.Viewer, one.User}]
		switch {
		case one.What == Joined:
			for _, u := range users {
				all[key{one.Viewer, u}].Joined = true
			}
		case d == nil:
		case one.What == Leave:
			if d.Leaves++; d.Leaves == 1 {
				d.After = one.Time.Sub(at)
			}
		case one.What == Enter && d.Leaves > 0:
			d.Enters++
		}
	}
	for _, one := range records { // in a fixed order
		for _, u := range users {
			if d := all[key{one.Viewer, u}]; d != nil {
				list = append(list, *d)
				delete(all, key{one.Viewer, u})
			}
		}
	}
	return list
}

// Lists returns whom each viewer lists in a plan at the end: the answer to its last join, and what
// the messages since have changed.
func Lists(records []Record, plan string) map[string][]string {
	lists := make(map[string][]string)
	for _, one := range records {
		list, joined := lists[one.Viewer]
		if one.Plan != plan || !joined && one.What != Joined {
			continue
		}
		at, has := slices.BinarySearch(list, one.User)
		switch {
		case one.What == Joined:
			list = slices.Sorted(slices.Values(one.Users))
		case one.What == Enter && !has:
			list = slices.Insert(list, at, one.User)
		case one.What == Leave && has:
			list = slices.Delete(list, at, at+1)
		}
		lists[one.Viewer] = list
	}
	return lists
}
