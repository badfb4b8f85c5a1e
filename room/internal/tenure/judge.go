package tenure

// absence is how many times the ttl a node has to be missing in all lists before it counts as gone.
// Stores may drop a note after an hour without a beat; a store that restarted empty has the notes
// of all live nodes again within seconds.
const absence = 5

// Listed takes a list of notes. The caller calls it as soon as the list has come, and before it
// asks for the next one.
func (p *Peers) Listed(l List) {
	if l.Complete && !p.listed && !p.reset {
		p.addListed(l.Nodes)
	}
	for i := range l.Nodes {
		if n := p.find(l.Nodes[i].Name); n != nil {
			n.said(&l.Nodes[i])
		}
	}
	if l.Complete {
		p.settle(l.Asked, l.Answered)
		p.judge(&l)
	}
}

// addListed adds the nodes of the first list: the record that has opened their gate may have been
// trimmed before this node has opened the log.
func (p *Peers) addListed(nodes []Listed) {
	for i := range nodes {
		if l := &nodes[i]; l.Tenure > 0 {
			if n := p.add(l.Name); l.Tenure >= n.number {
				n.number, n.first = l.Tenure, 0
			}
		}
	}
}

// said takes what a node says of itself. That stays true, however old the note is.
func (n *peer) said(l *Listed) {
	switch {
	case l.Shut || l.Silent:
		n.ended = max(n.ended, l.Tenure)
	case l.Tenure > 0:
		n.ended = max(n.ended, l.Tenure-1)
	}
	if l.SameEpoch {
		n.fenced = max(n.fenced, l.Fenced)
	}
}

// settle notes that a complete list has come. After Reset, nodes may be alive that are not in the
// records that this node can read. Their tenures were extended last before the first list that
// came after it, and so have ended when another one was asked for the ttl later.
func (p *Peers) settle(asked, answered int64) {
	if !p.listed {
		p.listed, p.listedAt, p.settled = true, answered, !p.reset
	} else if asked-p.listedAt >= p.ttl {
		p.settled = true
	}
}

// judge ends the tenures of the nodes that have stored no note between two lists that are the ttl
// apart: from the answer of the older one to the question of the newer one, since a store reads the
// notes at some time between both. Lists from before a tenure of this node do not count: while it
// had none, the store may have been unreachable for all nodes.
func (p *Peers) judge(l *List) {
	restart := !l.Judge || !p.judging || l.Answered-p.asked >= lasts(p.ttl)
	p.judging, p.asked = l.Judge, l.Asked
	shown := make([]uint64, len(p.nodes)) // 0: the list lacks the node
	for i := range l.Nodes {
		j, ok := p.search(l.Nodes[i].Name)
		if !ok {
			continue
		}
		shown[j] = l.Nodes[i].Number
		// The store has lost notes, and may have lost others that it does not show.
		restart = restart || p.nodes[j].seen && shown[j] < p.nodes[j].shown
	}
	for i := range p.nodes {
		n := &p.nodes[i]
		if restart || !n.seen || n.shown != shown[i] {
			n.seen, n.shown, n.since = true, shown[i], l.Answered
			continue
		}
		patience := p.ttl
		if n.shown == 0 {
			patience *= absence
		}
		if l.Asked-n.since >= patience {
			n.ended, n.gone = max(n.ended, n.number), true
		}
	}
}
