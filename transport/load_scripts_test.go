package transport_test

import (
	"github.com/planrooms/planrooms/protocol"
)

// What viewers of the load do besides reading. Each script runs in the goroutine of its viewer.

// comeBack leaves in all ways there are and comes back at once. No more can have happened meanwhile than is under way.
func (l *load) comeBack(v *viewer) {
	for round := 0; round < 8 || !isClosed(l.resynced); round++ {
		if !v.readEvents(bigPlan, 12) {
			return
		}
		switch round % 4 {
		case 0: // without a word
			_ = v.c.nc.Close()
			v.connect()
		case 1:
			v.c.send(opClose, closePayload(protocol.CloseNormal, "for a while"))
			l.readEnd(v, protocol.CloseNormal)
			v.connect()
		case 2:
			for _, plan := range v.plans {
				v.ask(protocol.TypeLeavePlan, plan)
			}
			v.readAnswers()
			v.enter()
		case 3: // the old connection is still open
			c, err := v.open()
			l.readEnd(v, protocol.CloseReplaced)
			if v.use(c, err) {
				v.enter()
			}
		}
	}
	if n := v.knows(bigPlan).recovered; n < 8-resyncs && !l.pace.isSilent() { // each may have come when it was away
		l.faultf("%s was recovered %d times, want %d or more", v.user, n, 8-resyncs)
	}
}

// readEnd reads to the end of a connection, which must have the code, or none where the machine had no time for it.
func (l *load) readEnd(v *viewer, want protocol.CloseCode) {
	v.readOn()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.code != want && v.code != protocol.CloseAbnormal && !v.over {
		v.failLocked("closed with %d, want %d", v.code, want)
	}
}

// stayAway comes back when more has been missed than the history holds.
func (l *load) stayAway(v *viewer) {
	for range 2 {
		if !v.readEvents(bigPlan, 5) {
			return
		}
		_ = v.c.nc.Close()
		if l.pace.await(bigPlan, tally{events: beyondHistory}) && v.connect() && v.knows(bigPlan).recovered > 0 {
			l.faultf("%s: recovered from more than the history", v.user)
		}
	}
}

// stall stops reading for as long as it takes to fall off the log.
func (l *load) stall(v *viewer) {
	v.readEvents(bigPlan, 5)
	l.stalling.Done()
	<-l.goOn
}

// visit is the script of those who come in the storm and do not stay.
func (l *load) visit(v *viewer) {
	v.readEvents(bigPlan, 5)
	for _, plan := range v.plans {
		v.ask(protocol.TypeLeavePlan, plan)
	}
	v.readAnswers()
	v.quit()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
