package transport_test

import (
	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

// checkEnding checks how a viewer's last connection ended.
func (l *load) checkEnding(v *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	// If a client does not read, the documentation allows the server to close it as too slow, and
	// to cut it at a Revoke or where it does not take a goodbye within 1 s. On a busy machine this
	// happens to clients that have just begun to read again.
	slow := v.code == protocol.CloseAbnormal && (l.shuttingDown.Load() || v.revocable >= restless || v.buffer > 0) ||
		v.code == protocol.CloseTooSlow && v.buffer > 0
	if v.code != protocol.CloseShutdown && !slow && !v.stopped && !l.t.Failed() {
		l.t.Errorf("%s/%s: closed with %d", v.user, v.client, v.code)
	}
	v.stopLocked()
}

// checkPresence checks that all viewers, the hub, and a viewer who joins last agree on the
// participants (I7).
func (l *load) checkPresence() {
	probe := l.newViewer("probe", "a")
	for n := range smallPlans {
		probe.plans = append(probe.plans, smallPlan(n))
	}
	l.run(probe, nil)
	l.settled.Wait()
	pages := map[string]map[string]int{} // number of pages by plan and user
	for _, v := range l.viewers {
		v.mu.Lock()
		for plan, f := range v.follows {
			if f.in && !v.stopped {
				if pages[plan] == nil {
					pages[plan] = map[string]int{}
				}
				pages[plan][v.user]++
			}
		}
		v.mu.Unlock()
	}
	for plan, want := range pages {
		info, _ := l.server.hub.Room(plan)
		got, total := map[string]int{}, 0
		for _, p := range info.People {
			got[p.UserID] = p.Connections
		}
		for _, n := range want {
			total += n
		}
		if info.Participants != len(want) || info.Connections != total {
			l.t.Errorf("%s: %d people with %d connections, want %d with %d", plan, info.Participants, info.Connections, len(want), total)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			l.t.Errorf("%s: connections of each user (-want +got):\n%s", plan, diff)
		}
	}
	for _, v := range l.viewers {
		for _, plan := range v.plans {
			v.await("the participants of "+plan, func() bool { f := v.followLocked(plan); return !f.in || f.sees(pages[plan]) })
		}
	}
}

// checkEnd checks the result of the load. Each viewer must have received every event that had a
// position before Shutdown. The server must not have reported a gap where the history was complete.
func (l *load) checkEnd() {
	end, whole, events, cut := map[string]uint64{}, 0, 0, 0
	for _, v := range l.viewers {
		for plan, f := range v.follows {
			end[plan] = max(end[plan], f.chain.Position().Seq)
			events += f.events
		}
	}
	for _, v := range l.viewers {
		switch v.code {
		case protocol.CloseAbnormal:
			cut++
		case protocol.CloseShutdown:
			whole++
			for plan, f := range v.follows {
				if f.in && f.chain.Position().Seq != end[plan] {
					l.t.Errorf("%s/%s: goodbye at %d of %s, which is at %d", v.user, v.client, f.chain.Position().Seq, plan, end[plan])
				}
			}
		}
		for _, s := range v.skips {
			if l.ledger.complete(s.plan, s.from, s.to, historyLimit) {
				l.t.Errorf("%s/%s: %s from %d to %d of %s, but the history was complete", v.user, v.client, s.what, s.from, s.to, s.plan)
			}
		}
	}
	if whole > 0 {
		for _, fault := range l.ledger.check() {
			l.t.Error(fault)
		}
	}
	l.t.Logf("%d events were delivered %d times; of %d viewers %d received everything, %d were cut", len(l.ledger.events), events, len(l.viewers), whole, cut)
}
