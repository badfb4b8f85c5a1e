package transport_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// The load: one large room with events under way all the time, many small ones, some readers stalled, and a crowd that comes at once.
const (
	bigPlan       = "big"
	publishers    = 16 // each has one event under way in the large room
	smallPlans    = 20 // of five pages each
	historyLimit  = 64
	presenceLimit = 100

	// beyondHistory is more than the history holds, though each publisher may have sent one of these events before they are waited for.
	beyondHistory = historyLimit + publishers + 1

	steadyUsers = 106 // the first secondPages of them have two pages
	secondPages = 16
	returning   = 12 // leave and come back at once, again and again
	absent      = 6  // leave and come back when too much has happened
	stalled     = 18 // a tenth; stop reading for a while
	evicted     = 3  // of the stalled: their access ends meanwhile
	restless    = 6  // users whose access ends and is given back, again and again; two pages each
	revocables  = restless + evicted
	rush        = 100 // come at once
	resyncs     = 3

	// stallBytes is more than the buffers of a connection take, whatever the kernel makes of their sizes.
	stallBytes = 256 << 10
)

// load is one run of TestPromisesUnderLoad.
type load struct {
	t      *testing.T
	server *server
	ledger *ledger
	pace   *pace

	viewers   []*viewer // appended to under mu
	authors   []*viewer // those who are there from the beginning
	steady    []*viewer
	returning []*viewer
	stalled   []*viewer
	restless  []*viewer // the two pages of a user side by side

	running  sync.WaitGroup // viewers
	ready    sync.WaitGroup // viewers that are to join before the traffic begins
	settled  sync.WaitGroup // viewers that have yet to do more than read
	stalling sync.WaitGroup // viewers that are to stall and still read
	goOn     chan struct{}  // closed when the stalled go on
	resynced chan struct{}  // closed after the last Resync
	failing  sync.WaitGroup // goroutines that end the load after a fault
	ending   atomic.Bool    // Shutdown was called: from now on who does not take the last frames in time is cut

	mu     sync.Mutex           // guards the following
	denied map[string]bool      // by user, for the large room
	asking map[string]*question // by user: their next join of it

	// barred is the number of the revocation of a user that has returned and has not been taken back, or 0.
	barred [revocables]atomic.Int64
}

// TestPromisesUnderLoad has everything happen at once, at sockets, that the benchmarks have happen and the design page makes promises for. Nothing
// is judged by the clock: every viewer checks each message against what it has heard before, and publishers wait for those who read
// all the time, so that what may be missed and what must be recovered is certain on any machine. They wait for nobody else: that those
// who stall delay the others would be the end of the test.
func TestPromisesUnderLoad(t *testing.T) {
	l := &load{
		t: t, ledger: newLedger(), pace: newPace(), goOn: make(chan struct{}), resynced: make(chan struct{}),
		denied: map[string]bool{}, asking: map[string]*question{},
	}
	l.server = newServer(t, config{kinds: kinds, hub: room.Options{
		Authorize:     l.authorize,
		HistoryEvents: historyLimit,
		PresenceLimit: presenceLimit,
		// A machine that has no time for this test must not look like readers who stall.
		PingEvery: -1, WriteTimeout: 20 * testTimeout, AuthorizeTimeout: testTimeout,
	}})
	l.start()
	l.ready.Wait()

	var publishing, revoking sync.WaitGroup
	for n := range publishers {
		publishing.Go(func() { l.publish(n, bigPlan) })
	}
	for n := range smallPlans {
		publishing.Go(func() { l.publish(publishers+n, smallPlan(n)) })
	}
	for n := range restless {
		revoking.Go(func() { l.revoke(n) })
	}
	l.stallAndStorm()
	l.resync()
	revoking.Wait()
	l.settled.Wait()
	if !t.Failed() {
		l.checkPresence()
	}

	l.shutDown()
	l.pace.silence()
	publishing.Wait()
	l.running.Wait()
	l.failing.Wait()
	if !t.Failed() {
		l.checkEnd()
	}
}

// fail ends the load after a fault: what else would be found could come of it.
func (l *load) fail() {
	l.failing.Go(func() {
		l.pace.silence()
		l.mu.Lock()
		viewers := slices.Clone(l.viewers)
		l.mu.Unlock()
		for _, v := range viewers {
			v.quit()
		}
	})
}

// faultf is for faults that no viewer found.
func (l *load) faultf(format string, args ...any) {
	l.t.Errorf(format, args...)
	l.fail()
}

func smallPlan(n int) string { return fmt.Sprint("small", n) }

// question is a call of Authorize that takes long: its answer is out of date when it is given.
type question struct {
	asked  chan struct{} // closed by Authorize, which knows its answer
	answer chan struct{} // closed by who wants it to give it
}

// authorize lets everybody in but those whose access to the large room has ended.
func (l *load) authorize(_ context.Context, id auth.Identity, plan string) error {
	if plan != bigPlan {
		return nil
	}
	l.mu.Lock()
	no, q := l.denied[id.UserID], l.asking[id.UserID]
	delete(l.asking, id.UserID)
	l.mu.Unlock()
	if q != nil {
		close(q.asked)
		<-q.answer
	}
	if no {
		return room.ErrForbidden
	}
	return nil
}

func (l *load) deny(user string, no bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.denied[user] = no
}

// newViewer adds a viewer of the large room.
func (l *load) newViewer(user, client string) *viewer {
	v := &viewer{
		page: page{user, client}, t: l.t, fail: l.fail, server: l.server, ledger: l.ledger, plans: []string{bigPlan}, revocable: -1,
		follows: map[string]*following{},
	}
	v.changed = sync.NewCond(&v.mu)
	l.mu.Lock()
	defer l.mu.Unlock()
	v.kind = kinds[len(l.viewers)%len(kinds)]
	l.viewers = append(l.viewers, v)
	v.over = l.t.Failed()
	return v
}

// start has everybody connect who is there from the beginning.
func (l *load) start() {
	for n := range steadyUsers {
		l.steady = append(l.steady, l.newViewer(fmt.Sprint("steady", n), "a"))
		if n < secondPages {
			l.steady = append(l.steady, l.newViewer(fmt.Sprint("steady", n), "b"))
		}
	}
	for n := range returning {
		l.returning = append(l.returning, l.newViewer(fmt.Sprint("returning", n), "a"))
	}
	for n := range stalled {
		v := l.newViewer(fmt.Sprint("stalled", n), "a")
		v.buffer = 32 << 10
		if n < evicted {
			v.revocable = restless + n
		}
		l.stalled = append(l.stalled, v)
	}
	for n := range restless {
		for _, client := range []string{"a", "b"} {
			v := l.newViewer(fmt.Sprint("restless", n), client)
			v.revocable, v.restless = n, client == "b"
			l.restless = append(l.restless, v)
		}
	}
	// Some of the steady are in two small rooms.
	for n := range smallPlans {
		members := []*viewer{l.steady[3*n], l.steady[3*n+1], l.steady[3*n+2], l.steady[3*n+10]}
		switch {
		case n < returning:
			members = append(members, l.returning[n])
		case n < returning+restless:
			members = append(members, l.restless[2*(n-returning)])
		default:
			members = append(members, l.steady[100+n])
		}
		for _, v := range members {
			v.plans = append(v.plans, smallPlan(n))
		}
	}
	scripts := map[*viewer]func(*viewer){}
	for _, v := range l.returning {
		scripts[v] = l.comeBack
	}
	for _, v := range l.stalled {
		scripts[v] = l.stall
	}
	for n := range absent {
		scripts[l.newViewer(fmt.Sprint("absent", n), "a")] = l.stayAway
	}
	l.authors = slices.Clone(l.viewers)
	l.stalling.Add(len(l.stalled))
	for _, v := range l.viewers {
		l.run(v, scripts[v])
	}
}

// run starts a viewer, which joins its plans, does what the script says, and reads to the end.
func (l *load) run(v *viewer, script func(*viewer)) {
	l.ready.Add(1)
	l.settled.Add(1)
	l.running.Go(func() {
		v.connect()
		l.ready.Done()
		if script != nil {
			script(v)
		}
		l.settled.Done()
		for v.readOn(); l.cutByRevoke(v); v.readOn() {
			v.connect()
		}
		l.checkEnding(v)
	})
}

// cutByRevoke reports whether the connection of a restless viewer was cut: it was in the middle of a frame, or the machine had no time.
func (l *load) cutByRevoke(v *viewer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.code == protocol.CloseAbnormal && v.revocable >= 0 && v.revocable < restless && !v.over && !l.ending.Load()
}
