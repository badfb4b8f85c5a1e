package client_test

import (
	"fmt"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// versioned sends the event seq of one key.
func (w *wire) versioned(seq uint64, key string, n int64) {
	w.t.Helper()
	w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d},"seq":%d,"prev":%d,"version":{"key":%q,"n":%d}}`, seq, seq, seq-1, key, n)
}

func (w *wire) resync(epoch string, seq uint64, spread time.Duration) {
	w.t.Helper()
	w.say(`{"type":"resync","planId":"demo","data":{"position":{"epoch":%q,"seq":%d},"reason":"host","spreadMs":%d}}`, epoch, seq, spread.Milliseconds())
}

// A prev below the last seq is not a gap: another server may know the plan less far back.
func TestSmallerPrevIsNotAGap(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 5, 0)
		w.event("demo", 6, 2)
		w.event("demo", 7, 0)
		w.event("demo", 6, 5) // a duplicate
		want(t, p, "reload joined", "task 5", "task 6", "task 7")
		w.silent()
	})
}

// An event with a version below the last one of its key is dropped, and its position counts.
func TestOutdatedEventIsDropped(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.versioned(1, "a", 7)
		w.versioned(2, "a", 6)
		w.versioned(3, "b", 1)
		w.versioned(4, "a", 7)
		w.versioned(5, "a", 8)
		w.say(`{"type":"receipt","planId":"demo","seq":6,"prev":5,"mutationId":"m","version":{"key":"b","n":3}}`)
		w.versioned(7, "b", 2)
		want(t, p, "reload joined", "task 1", "task 3", "task 4", "task 5", "receipt m")
		synctest.Wait()
		if got := p.Position().Seq; got != 7 {
			t.Errorf("Position() = %d, want 7, after the dropped event", got)
		}
		w.versioned(8, "a", 1)
		synctest.Wait()
		if got := p.Position().Seq; got != 8 {
			t.Errorf("Position() = %d, want 8, after the dropped event", got)
		}
		w.lose(net.ErrClosed) // versions outlive the connection
		w = s.open()
		w.join(true, "e", 8)
		w.versioned(9, "a", 7)
		w.versioned(10, "c", 1)
		want(t, p, "join-plan   1", "task 10")
	})
}

// After a Reload that starts the stream again, earlier versions do not count: the host may have
// restored an older plan.
func TestVersionsEndWithTheStream(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.versioned(1, "a", 7)
		w.resync("e", 2, 0)
		w.versioned(3, "a", 1)
		want(t, p, "reload resync", "task 3")
		w.lose(net.ErrClosed)
		w = s.open()
		w.join(false, "f", 3)
		w.versioned(4, "a", 0)
		want(t, p, "reload not_recovered", "task 4")
	})
}

// The memory for versions is bounded, and the keys that were used last are kept.
func TestVersionsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 20_000, QueueBytes: 64 << 20})
		p := w.enter(c, "demo")
		seq := uint64(0)
		send := func(key string, n int64) {
			seq++
			w.versioned(seq, key, n)
		}
		for i := range 5000 {
			send(fmt.Sprint("key", i), 5)
			send("often", int64(i))
		}
		synctest.Wait()
		if got := client.Versions(p); got > 2048 {
			t.Errorf("%d versions kept, want at most 2,048", got)
		}
		for got := ""; got != "task 10000"; got = describe(next(t, p)) {
		}
		send("often", 0)   // dropped
		send("key4500", 4) // dropped
		send("key0", 4)    // forgotten
		want(t, p, "task 10003")
	})
}

// A resync with spreadMs is given to the program after a random part of it, and the items after it
// wait.
func TestResyncIsSpread(t *testing.T) {
	const spread = 10 * time.Second
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		var sum, longest time.Duration
		seq := uint64(0)
		for range 200 {
			from := time.Now()
			w.event("demo", seq+1, seq)
			w.resync("e", seq+2, spread)
			w.event("demo", seq+3, seq+2)
			seq += 3
			want(t, p, fmt.Sprint("task ", seq-2))
			if got := time.Since(from); got != 0 {
				t.Fatalf("the item before the resync came after %v, want at once", got)
			}
			want(t, p, "reload resync")
			wait := time.Since(from)
			sum, longest = sum+wait, max(longest, wait)
			want(t, p, fmt.Sprint("task ", seq))
			w.say(`{"type":"pong"}`)
		}
		if mean := sum / 200; longest > spread || longest < spread/2 || mean < spread/4 || mean > 3*spread/4 {
			t.Errorf("waits up to %v, %v on average, want them spread over %v", longest, mean, spread)
		}
		w.resync("e", seq, 1000*time.Hour)
		from := time.Now()
		waited := make(chan time.Duration, 1)
		go func() {
			if _, err := p.Next(t.Context()); err != nil {
				t.Errorf("Next: %v", err)
			}
			waited <- time.Since(from)
		}()
		w.rest(2 * time.Minute)
		if got := <-waited; got > time.Minute {
			t.Errorf("waited %v, want at most 1m", got)
		}
	})
}

// A program that waits for a delayed Reload returns when its context, the plan or the client ends.
func TestDelayedReloadEnds(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		got := make(chan error, 2)
		for range 2 {
			go func() {
				_, err := p.Next(t.Context())
				got <- err
			}()
		}
		synctest.Wait()
		w.resync("e", 1, time.Minute)
		synctest.Wait()
		p.Leave()
		w.hear(protocol.TypeLeavePlan)
		for range 2 {
			if err := <-got; err != client.ErrLeft {
				t.Errorf("Next = %v, want %v", err, client.ErrLeft)
			}
		}
	})
}

// A server that sends resync faster than the program can load costs one more load after the last
// one, and the load is not put off for ever.
func TestResyncStorm(t *testing.T) {
	for _, spread := range []time.Duration{0, 10 * time.Second} {
		t.Run(spread.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				c, w := s.start(nil)
				p := w.enter(c, "demo")
				ctx, stop := t.Context(), make(chan struct{})
				loads, tasks := 0, 0
				var lastLoad time.Time
				go func() {
					defer close(stop)
					for e, err := range p.All(ctx) {
						switch {
						case err != nil:
							return
						case e.Kind == client.Reload:
							loads++
							lastLoad = time.Now()
							time.Sleep(2 * time.Second)
						case e.Kind == client.Change:
							tasks++
						}
					}
				}()
				seq := uint64(0)
				for range 60 {
					time.Sleep(500 * time.Millisecond)
					w.event("demo", seq+1, seq)
					time.Sleep(500 * time.Millisecond)
					seq += 2
					w.resync("e", seq, spread)
				}
				over := time.Now()
				w.rest(20 * time.Second)
				p.Leave()
				w.hear(protocol.TypeLeavePlan)
				<-stop
				if late := lastLoad.Sub(over); late > spread+2*time.Second {
					t.Errorf("the last load began %v after the last resync", late)
				}
				if loads < 4 || loads > 35 || tasks == 0 {
					t.Errorf("%d loads and %d events in a minute", loads, tasks)
				}
			})
		})
	}
}

// A client without plans that receives messages sends one as well: a server closes a connection on
// which the client sends nothing for 30 s.
func TestClientSpeaksWithin30s(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		_, w := s.start(nil)
		for range 4 {
			time.Sleep(6 * time.Second)
			w.say(`{"type":"assigned","data":1}`)
		}
		from := w.at
		w.hear(protocol.TypePing)
		if got := time.Since(from); got > 26*time.Second {
			t.Errorf("first message after %v, want 25s", got)
		}
	})
}

// A client whose plans were all denied still resets the back-off and answers the server's limits.
func TestOnlyDeniedPlans(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		for range 10 {
			w.lose(net.ErrClosed)
			w = s.open()
		}
		var longest time.Duration
		for range 30 {
			done := make(chan error)
			go func() {
				_, err := c.Join(t.Context(), "demo", nil)
				done <- err
			}()
			w.hear(protocol.TypeJoinPlan)
			w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
			if err := <-done; err == nil {
				t.Fatal("Join succeeds")
			}
			w.rest(30 * time.Second) // with a ping
			from := time.Now()
			w.lose(net.ErrClosed)
			synctest.Wait()
			// The next connection has a plan that is denied after the hello.
			go func() { _, _ = c.Join(t.Context(), "demo", nil) }()
			w = s.open()
			longest = max(longest, w.at.Sub(from))
			w.hear(protocol.TypeJoinPlan)
			w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
			w.rest(30 * time.Second)
			from = time.Now()
			w.lose(net.ErrClosed)
			w = s.open()
			longest = max(longest, w.at.Sub(from))
		}
		if longest > 500*time.Millisecond {
			t.Errorf("longest wait %v, want up to 500ms", longest)
		}
	})
}

// A join, and a leave that a join waits for, are not waited for without limit.
func TestRequestWithoutAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		joined := make(chan *client.Plan)
		enter := func() {
			p, err := c.Join(t.Context(), "demo", nil)
			if err != nil {
				t.Errorf("Join: %v", err)
			}
			joined <- p
		}
		go enter()
		from := time.Now()
		w.hear(protocol.TypeJoinPlan)
		w.hear(protocol.TypeJoinPlan)
		if got := time.Since(from); got < 30*time.Second || got > 31*time.Second {
			t.Errorf("joined again after %v, want 30s", got)
		}
		w.joined("demo", false, "e", 1)
		p := <-joined
		want(t, p, "reload joined")
		w.rest(time.Minute)
		p.Leave()
		w.hear(protocol.TypeLeavePlan)
		go enter()
		from = time.Now()
		w.join(false, "e", 1)
		if got := time.Since(from); got < 29*time.Second || got > 31*time.Second {
			t.Errorf("joined after %v, want 30s", got)
		}
		<-joined
	})
}

// A server that accepts a token and then refuses it does not make the client reconnect in a loop.
func TestRefusalAfterTheHelloBacksOff(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		src := &source{}
		_, w := s.start(&client.Options{Token: src.get})
		from := time.Now()
		for range 50 {
			w.goodbye(protocol.CloseUnauthorized, 0)
			w = s.open()
		}
		if got := time.Since(from); got < 5*time.Minute {
			t.Errorf("50 refusals in %v, want a back-off", got)
		}
	})
}

// The same state is sent once, and one that the server refused for its rate is sent again.
func TestPresenceIsSentAsOftenAsNeeded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		show := func(state any) {
			t.Helper()
			if err := p.SetPresence(state); err != nil {
				t.Errorf("SetPresence: %v", err)
			}
		}
		show(nil)
		w.silent() // the server has no state to clear
		show(1)
		w.hear(protocol.TypeUpdatePresence)
		show(1)
		w.silent()
		show(2)
		w.hear(protocol.TypeUpdatePresence)
		w.say(`{"type":"error","planId":"demo","data":{"code":"rate_limited","re":"update-presence"}}`)
		synctest.Wait()
		from := time.Now()
		show(3)
		if req := w.hear(protocol.TypeUpdatePresence); string(req.State) != "3" {
			t.Errorf("state %s, want 3", req.State)
		}
		if got := time.Since(from); got != time.Second {
			t.Errorf("sent again after %v, want 1s", got)
		}
		w.rest(time.Minute)
	})
}
