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

// The load has one large room with events in flight all the time, many small rooms, some stalled
// readers, and a crowd that connects at once.
const (
	bigPlan       = "big"
	publishers    = 16 // each has one event in flight in the large room
	smallPlans    = 20 // each with five pages
	historyLimit  = 64
	presenceLimit = 100

	// beyondHistory is more events than the history holds, even if each publisher has sent one of
	// them before the wait begins.
	beyondHistory = historyLimit + publishers + 1

	steadyUsers = 106 // the first secondPages of them have a second page
	secondPages = 16
	returning   = 12 // repeatedly leave and come back immediately
	absent      = 6  // leave and come back after they have missed too much
	stalled     = 18 // a tenth of the viewers; stop reading for a while
	evicted     = 3  // number of stalled viewers that lose access meanwhile
	restless    = 6  // users whose access is repeatedly revoked and restored; two pages each
	revocables  = restless + evicted
	rush        = 100 // connect at the same time
	resyncs     = 3

	// stallBytes is more than the buffers of a connection hold, including buffers that the kernel
	// enlarges.
	stallBytes = 256 << 10
)

// load is one run of TestPromisesUnderLoad.
type load struct {
	t      *testing.T
	server *server
	ledger *ledger
	pace   *pace

	viewers   []*viewer // appended to under mu
	authors   []*viewer // viewers that connect at the beginning
	steady    []*viewer
	returning []*viewer
	stalled   []*viewer
	restless  []*viewer // the two pages of a user are adjacent

	running  sync.WaitGroup // viewers
	ready    sync.WaitGroup // viewers that must join before the traffic begins
	settled  sync.WaitGroup // viewers whose script has not ended
	stalling sync.WaitGroup // viewers that will stall and still read
	goOn     chan struct{}  // closed when the stalled viewers may read again
	resynced chan struct{}  // closed after the last Resync
	failing  sync.WaitGroup // goroutines that stop the load after a failure
	// set before Shutdown: a viewer that does not read its last frames in time may be cut
	shuttingDown atomic.Bool

	mu     sync.Mutex           // guards the following
	denied map[string]bool      // by user, for the large room
	asking map[string]*question // by user: blocks the next join of the large room

	// barred is the number of the last revocation of a user, or 0 after its access was restored.
	barred [revocables]atomic.Int64
}

// TestPromisesUnderLoad checks the guarantees of the design page over sockets, while everything
// that the benchmarks do happens at once. No check depends on time. Each viewer checks each message
// against what it has received before. Publishers wait for steady readers, so the test knows on any
// machine which events a viewer may miss and which it must recover. Publishers do not wait for
// stalled readers: if these delayed the others, the test would hang and fail.
func TestPromisesUnderLoad(t *testing.T) {
	l := &load{
		t: t, ledger: newLedger(), pace: newPace(), goOn: make(chan struct{}), resynced: make(chan struct{}),
		denied: map[string]bool{}, asking: map[string]*question{},
	}
	l.server = newServer(t, config{kinds: kinds, hub: room.Options{
		Authorize:     l.authorize,
		HistoryEvents: historyLimit,
		HistoryBytes:  64 << 20, // more than a stalled viewer can be behind
		PresenceLimit: presenceLimit,
		// On a busy machine, viewers must not look like stalled readers.
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
	l.pace.stop()
	publishing.Wait()
	l.running.Wait()
	l.failing.Wait()
	if !t.Failed() {
		l.checkEnd()
	}
}

// fail stops the load after a failure, since further failures could be consequences of it.
func (l *load) fail() {
	l.failing.Go(func() {
		l.pace.stop()
		l.mu.Lock()
		viewers := slices.Clone(l.viewers)
		l.mu.Unlock()
		for _, v := range viewers {
			v.quit()
		}
	})
}

// faultf reports a failure that is not a viewer's.
func (l *load) faultf(format string, args ...any) {
	l.t.Errorf(format, args...)
	l.fail()
}

func smallPlan(n int) string { return fmt.Sprint("small", n) }

// question is a slow call of Authorize, whose answer is outdated when it returns.
type question struct {
	asked  chan struct{} // closed by Authorize when it has decided
	answer chan struct{} // closed by the test to let Authorize return
}

// authorize denies users whose access to the large room has been revoked.
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
	v.stopped = l.t.Failed()
	return v
}

// start connects all viewers that exist from the beginning.
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
	// Some steady viewers are in two small rooms.
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

// run starts a viewer, which joins its plans, runs the script, and reads to the end.
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

// cutByRevoke reports whether the connection of a restless viewer was cut, in the middle of a frame
// or because the machine is busy.
func (l *load) cutByRevoke(v *viewer) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.code == protocol.CloseAbnormal && v.revocable >= 0 && v.revocable < restless && !v.stopped && !l.shuttingDown.Load()
}
