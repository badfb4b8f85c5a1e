package enginetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/room"
)

const ruleClose = "Close ends the engine: calls that are running return, and receive is not called any more once it has returned."

func callChecks() []*check {
	return []*check{
		{name: "CallsAtOnce", rules: []string{
			"It calls Close last, and all other methods concurrently.",
		}, test: testCallsAtOnce},
		{name: "CallsEnded", rules: []string{ruleCtx}, test: testCallsEnded},
		{name: "CallsCut", needs: "Cutter", rules: []string{ruleCtx}, test: testCallsCut},
		{name: "CloseEndsCalls", rules: []string{ruleClose}, test: testCloseEndsCalls},
		{name: "CloseDuringCut", needs: "Cutter", rules: []string{ruleClose}, test: testCloseDuringCut},
		{name: "CloseEndsReceive", rules: []string{ruleClose, ruleReceive}, test: testCloseEndsReceive},
		{name: "CloseKeepsLog", rules: []string{"It removes nothing from the log."}, test: testCloseKeepsLog},
		{name: "CloseLeavesNothing", rules: []string{ruleClose}, test: testCloseLeavesNothing},
	}
}

func testCallsAtOnce(t *trial) {
	a, b := t.open(), t.open()
	var tails []*tail
	for _, n := range []*node{a, b, a, b} {
		tails = append(tails, n.follow(a.opened.Window.Last, nil))
	}
	t.each("a call", 12, func(i int) error {
		n := []*node{a, b}[i%2]
		for j := range 40 {
			var err error
			switch i % 3 {
			case 0:
				_, err = n.Append(t.ctx, fmt.Sprintf("%d %d", i, j), []byte("record"))
			case 1:
				_, _, err = n.Beat(t.ctx, []byte("note"))
			case 2:
				err = n.Send(t.ctx, "", fmt.Appendf(nil, "%d %d", i, j))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	last := a.store("last")
	for _, l := range tails {
		l.await(last)
	}
}

// engineCall is a call of an engine that is open.
type engineCall struct {
	name string
	call func(*node, context.Context) error
}

func engineCalls() []engineCall {
	return []engineCall{
		{"Append", func(n *node, ctx context.Context) error {
			_, err := n.Append(ctx, "a record", []byte("a record"))
			return err
		}},
		{"Tail", func(n *node, ctx context.Context) error {
			return n.Tail(ctx, n.opened.Window.Last, func([]room.Record) {})
		}},
		{"Beat", func(n *node, ctx context.Context) error {
			_, _, err := n.Beat(ctx, []byte("note"))
			return err
		}},
		{"Send", func(n *node, ctx context.Context) error { return n.Send(ctx, "", []byte("a message")) }},
	}
}

// soon is how long a call may take after its context or its engine has ended.
const soon = 10 * time.Second

// endsSoon calls the engine with a context that ends after 300 ms.
func (n *node) endsSoon(c engineCall) error {
	ctx, cancel := context.WithTimeout(n.t.ctx, 300*time.Millisecond)
	defer cancel()
	return n.returnsSoon(c, ctx)
}

// returnsSoon calls the engine. It ends the check if the call does not return soon after ctx has
// ended.
func (n *node) returnsSoon(c engineCall, ctx context.Context) error {
	returned := make(chan error, 1)
	go func() { returned <- c.call(n, ctx) }()
	select {
	case err := <-returned:
		return err
	case <-ctx.Done():
	}
	return n.t.comesSoon(c.name, "its context", returned)
}

// comesSoon waits for the result of a call that has to end now.
func (t *trial) comesSoon(call, ended string, returned <-chan error) error {
	timer := time.NewTimer(soon)
	defer timer.Stop()
	select {
	case err := <-returned:
		return err
	case <-timer.C:
		t.failf("%s has not returned %v after %s has ended", call, soon, ended)
		return nil
	}
}

func testCallsEnded(t *trial) {
	n := t.open()
	ended, cancel := context.WithCancel(t.ctx)
	cancel()
	for _, c := range engineCalls() {
		_ = n.returnsSoon(c, ended)
	}
	if err := n.endsSoon(engineCalls()[1]); !errors.Is(err, context.DeadlineExceeded) {
		t.failf("Tail has returned %v after its deadline", err)
	}
	n.follow(n.opened.Window.Last, nil).await(n.store("the engine still works"))
}

func testCallsCut(t *trial) {
	n, unopened := t.open(), t.unopened()
	cutter := t.cluster.(Cutter)
	cutter.Cut(n.Engine)
	for _, c := range engineCalls() {
		_ = n.endsSoon(c)
	}
	cutter.Heal(n.Engine)
	l := n.follow(n.opened.Window.Last, nil)
	l.await(n.store("the engine works again"))

	cutter.Cut(unopened.Engine)
	_ = unopened.endsSoon(engineCall{"Open", func(n *node, ctx context.Context) error {
		_, err := n.Open(ctx, room.OpenOptions{Cluster: cluster, Node: n.name}, n.inbox.receive)
		return err
	}})
	cutter.Heal(unopened.Engine)
	unopened.rename()
	t.must(unopened.reopen(), "Open after a cut")
	unopened.follow(l.after, nil).await(t.log.last)
}

func testCloseEndsCalls(t *trial) {
	n := t.open()
	n.store("record")
	n.closeDuring(true)
}

func testCloseDuringCut(t *trial) {
	n := t.open()
	n.store("record")
	t.cluster.(Cutter).Cut(n.Engine)
	n.closeDuring(false)
}

// closeDuring closes the engine during all calls, and waits for them. If again is true, each is
// repeated until it fails, which it has to do once the engine is closed.
func (n *node) closeDuring(again bool) {
	var closed atomic.Bool
	running := make(chan struct{}, 8)
	results := map[string]chan error{}
	for _, c := range engineCalls() {
		returned := make(chan error, 1)
		results[c.name] = returned
		go func() {
			for i := 0; ; i++ {
				if i == 0 && (!again || c.name == "Tail") || i == 20 {
					running <- struct{}{}
				}
				if i%50 == 49 {
					n.t.pause() // for the other calls
				}
				late := closed.Load()
				if err := c.call(n, n.t.ctx); err != nil || !again || late {
					if late && err == nil {
						err = errWorks
					}
					returned <- err
					return
				}
			}
		}()
	}
	n.t.must(n.t.call("a call", func() error {
		for range results {
			<-running
		}
		return nil
	}), "a call")
	n.close()
	closed.Store(true)
	for name, returned := range results {
		if err := n.t.comesSoon(name, "the engine", returned); errors.Is(err, errWorks) {
			n.t.failf("%s: %w", name, err)
		}
	}
}

var errWorks = errors.New("returned nil, although the engine was closed before")

// Another node sends all the time while a node closes, and goes on for a while.
func testCloseEndsReceive(t *trial) {
	for range 10 {
		a, b := t.open(), t.open()
		closed, sent := make(chan struct{}), make(chan error, 1)
		go func() {
			left := 200
			for i := 0; left > 0; i++ {
				_ = b.Send(t.ctx, "", fmt.Appendf(nil, "message %d during Close", i))
				select {
				case <-closed:
					left--
				default:
					runtime.Gosched()
				}
			}
			sent <- nil
		}()
		t.await("messages", a.inbox.change, func() bool { return a.inbox.from(b.name) >= 20 })
		a.close()
		close(closed)
		t.must(t.call("Send", func() error { return <-sent }), "Send")
		t.pause()
		b.close()
	}
}

func testCloseKeepsLog(t *trial) {
	a := t.open()
	first := a.opened.Window.First
	a.fill("record", 20)
	a.want([]byte("note"))
	a.close()
	b := t.open()
	if w := b.opened.Window; w.Epoch != a.opened.Window.Epoch || w.First != first || w.Last != t.log.last {
		t.failf("after Close, Open has returned %+v; the log had the seqs %d to %d", w, first, t.log.last)
	}
	b.follow(first-1, nil).await(t.log.last)
}

// Goroutines of closed engines end. Some clients wait for them only in the background, so the check
// gives them time. Goroutines inherit the labels of those that start them, which
// distinguishes them from those of a server in the same process.
func testCloseLeavesNothing(t *trial) {
	n := t.unopened()
	label := fmt.Sprintf("%p", n)
	pprof.Do(t.ctx, pprof.Labels("enginetest", label), func(context.Context) {
		t.must(n.reopen(), "Open")
		l := n.follow(n.opened.Window.Last, nil)
		l.await(n.store("record"))
		n.want([]byte("note"))
		_ = l.end()
		n.close()
	})
	for ms := 1; ; ms = min(2*ms, 1000) {
		left := labelled(label)
		if len(left) == 0 {
			return
		}
		if !t.wait(ms) {
			t.failf("the engine is closed, but goroutines are left:\n%s", strings.Join(left, "\n\n"))
		}
	}
}

// labelled returns the stacks of goroutines with a label.
func labelled(label string) (stacks []string) {
	var all strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&all, 1) // a Builder takes everything
	for _, s := range strings.Split(all.String(), "\n\n") {
		if strings.Contains(s, `"`+label+`"`) {
			stacks = append(stacks, s)
		}
	}
	return stacks
}
