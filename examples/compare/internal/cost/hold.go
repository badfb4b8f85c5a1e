package cost

import (
	"fmt"

	"github.com/planrooms/planrooms/examples/compare/internal/node"
)

// hold publishes to many plans, and takes the memory of the processes before and after it.
func (p Plan) hold(cl *cluster, plans int) (*Memory, error) {
	publish := func(each int) error {
		published, err := cl.nodes[0].Publish(node.Publish{
			Plans: plans, Publishers: p.Publishers, Events: int64(plans * each), Size: p.EventBytes,
		})
		if err == nil && published.Count != int64(plans*each) {
			err = fmt.Errorf("cost: %d events were published, not %d", published.Count, plans*each)
		}
		if err != nil {
			return err
		}
		_, err = together(cl.nodes, func(_ int, n *node.Process) (node.Viewed, error) {
			return n.Await(node.Await{Seq: published.Seq})
		})
		return err
	}
	empty, err := held(cl)
	if err != nil {
		return nil, err
	}
	if err := publish(1); err != nil {
		return nil, err
	}
	first, err := held(cl)
	if err != nil {
		return nil, err
	}
	if err := publish(p.HeldEvents - 1); err != nil {
		return nil, err
	}
	more, err := held(cl)
	if err != nil {
		return nil, err
	}
	return &Memory{First: first.per(plans, empty), More: more.per(plans, empty), Events: p.HeldEvents}, nil
}

// held takes the memory of all processes.
func held(cl *cluster) (h Held, err error) {
	nodes, err := together(cl.nodes, func(_ int, n *node.Process) (node.Memory, error) { return n.Collect() })
	if err != nil {
		return h, err
	}
	h.PublisherHeap, h.PublisherRSS = float64(nodes[0].Heap), float64(nodes[0].RSS)
	if len(nodes) > 1 {
		last := nodes[len(nodes)-1]
		h.OtherHeap, h.OtherRSS = float64(last.Heap), float64(last.RSS)
	}
	rss, err := cl.broker.RSS()
	h.BrokerRSS = float64(rss)
	return h, err
}

// per returns what each plan takes, beyond what the processes held without plans.
func (h Held) per(plans int, empty Held) Held {
	each := func(now, before float64) float64 { return (now - before) / float64(plans) }
	return Held{
		PublisherHeap: each(h.PublisherHeap, empty.PublisherHeap), PublisherRSS: each(h.PublisherRSS, empty.PublisherRSS),
		OtherHeap: each(h.OtherHeap, empty.OtherHeap), OtherRSS: each(h.OtherRSS, empty.OtherRSS),
		BrokerRSS: each(h.BrokerRSS, empty.BrokerRSS),
	}
}
