package transport_test

import (
	"github.com/planrooms/planrooms/protocol"
)

// This file has the scripts of viewers. Each script runs in the goroutine of its viewer.

// comeBack leaves in every way and immediately comes back. In between, the viewer can miss only the
// events in flight.
func (l *load) comeBack(v *viewer) {
	for round := 0; round < 8 || !isClosed(l.resynced); round++ {
		if !v.readEvents(bigPlan, 12) {
			return
		}
		switch round % 4 {
		case 0: // without a close frame
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
	// each resync may have come while the viewer was away
	if n := v.state(bigPlan).recovered; n < 8-resyncs && !l.pace.isStopped() {
		l.faultf("%s was recovered %d times, want %d or more", v.user, n, 8-resyncs)
	}
}

// readEnd reads to the end of a connection. The connection must end with the code, or be cut
// because the machine is busy.
func (l *load) readEnd(v *viewer, want protocol.CloseCode) {
	v.readOn()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.code != want && v.code != protocol.CloseAbnormal && !v.stopped {
		v.failLocked("closed with %d, want %d", v.code, want)
	}
}

// stayAway comes back after it has missed more events than the history holds.
func (l *load) stayAway(v *viewer) {
	for range 2 {
		if !v.readEvents(bigPlan, 5) {
			return
		}
		_ = v.c.nc.Close()
		if l.pace.await(bigPlan, tally{events: beyondHistory}) && v.connect() && v.state(bigPlan).recovered > 0 {
			l.faultf("%s: recovered more than the history holds", v.user)
		}
	}
}

// stall stops reading until the viewer has fallen off the history.
func (l *load) stall(v *viewer) {
	v.readEvents(bigPlan, 5)
	l.stalling.Done()
	<-l.goOn
}

// visit is the script of viewers that come in the storm and leave soon.
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
