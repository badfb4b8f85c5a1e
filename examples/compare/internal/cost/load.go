package cost

import (
	"errors"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

var (
	errOrder   = errors.New("cost: the viewers of two nodes have received the events in different orders")
	errDoubled = errors.New("cost: viewers have received an event twice")
	errAstray  = errors.New("cost: viewers have received events that are not of their plan or not of this load")
)

// load has nodes publish at the same time, and waits until all events have arrived.
func load(cl *cluster, publishing []*node.Process, what node.Publish) (*Load, error) {
	viewing := cl.viewing()
	if err := cl.view(what.Plans, what.Timed); err != nil {
		return nil, err
	}
	before, err := cl.usage()
	if err != nil {
		return nil, err
	}
	published, err := together(publishing, func(i int, n *node.Process) (node.Published, error) {
		mine := what
		mine.Publishers = (what.Publishers + len(publishing) - 1 - i) / len(publishing)
		return n.Publish(mine)
	})
	if err != nil {
		return nil, err
	}
	all := total(published)
	viewed, err := together(cl.nodes, func(i int, n *node.Process) (node.Viewed, error) {
		w := node.Await{Seq: all.Seq}
		if i < len(viewing) {
			w.Count = all.Count
		}
		return n.Await(w)
	})
	if err != nil {
		return nil, err
	}
	after, err := cl.usage()
	if err != nil {
		return nil, err
	}
	r := &Load{
		Events: all.Count, PerSecond: perSecond(all.Count, all.Begun, all.Ended),
		CallP50: all.Calls.P50, CallP99: all.Calls.P99,
	}
	if err := r.arrived(all, viewed[:len(viewing)]); err != nil {
		return nil, err
	}
	r.used(after.since(before))
	return r, nil
}

// view connects a new viewer of each of the first plans to each viewing node. Those of the last
// load leave before, and it returns when each node and viewer knows who is there: joins and leaves
// are not part of what is measured.
func (cl *cluster) view(plans int, timed bool) error {
	for _, v := range []node.View{{}, {Plans: plans, Timed: timed}} {
		_, err := together(cl.viewing(), func(_ int, n *node.Process) (none struct{}, err error) { return none, n.View(v) })
		if err != nil {
			return err
		}
		present := node.Present{Plans: plans}
		if v.Plans > 0 {
			present.Viewers = len(cl.viewing())
		}
		_, err = together(cl.nodes, func(_ int, n *node.Process) (none struct{}, err error) { return none, n.Present(present) })
		if err != nil {
			return err
		}
	}
	return nil
}

// total adds up what nodes have published.
func total(published []node.Published) (all node.Published) {
	all = published[0]
	for _, p := range published[1:] {
		all.Count += p.Count
		all.Sum += p.Sum
		all.Seq = max(all.Seq, p.Seq)
		all.Begun = min(all.Begun, p.Begun)
		all.Ended = max(all.Ended, p.Ended)
	}
	return all
}

// arrived notes what the viewers of each node have received of what was published.
func (r *Load) arrived(all node.Published, viewed []node.Viewed) error {
	r.Deliveries = all.Count * int64(len(viewed))
	r.Missing = r.Deliveries
	for _, v := range viewed {
		r.Missing -= v.Count
		r.Broken += v.Broken
		if v.Doubled > 0 {
			return errDoubled
		}
		if v.Astray > 0 || v.Count > all.Count || v.Count == all.Count && v.Sum != all.Sum {
			return errAstray
		}
	}
	here, last := viewed[0], viewed[len(viewed)-1]
	if r.Missing == 0 && here.Order != last.Order {
		return errOrder
	}
	r.HereP50, r.HereP99 = here.Times.P50, here.Times.P99
	if len(viewed) > 1 {
		r.ElsewhereP50, r.ElsewhereP99 = last.Times.P50, last.Times.P99
	}
	r.DeliveredPerSecond = perSecond(last.Count, all.Begun, last.Last)
	return nil
}

// used notes the CPU time of each event.
func (r *Load) used(u usage) {
	each := func(d time.Duration) float64 { return float64(d) / 1e3 / float64(max(r.Events, 1)) }
	r.PublisherCPU, r.BrokerCPU = each(u.nodes[0]), each(u.broker)
	if len(u.nodes) > 1 {
		r.ViewersCPU, r.IdleCPU = each(u.nodes[1]), each(u.nodes[len(u.nodes)-1])
	}
}

func perSecond(count, begun, ended int64) float64 {
	if ended <= begun {
		return 0
	}
	return float64(count) / (float64(ended-begun) / 1e9)
}
