package client_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

func (w *wire) resync(epoch string, seq uint64, spread time.Duration) {
	w.t.Helper()
	w.say(`{"type":"resync","planId":"demo","data":{"position":{"epoch":%q,"seq":%d},"reason":"host","spreadMs":%d}}`, epoch, seq, spread.Milliseconds())
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
		w.expect(protocol.TypeLeavePlan)
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
				w.expect(protocol.TypeLeavePlan)
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

// More resyncs do not delay a Reload that waits already.
func TestResyncsDoNotDelayTheReload(t *testing.T) {
	const spread = 10 * time.Second
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		for range 20 {
			taken := make(chan time.Time, 1)
			go func() {
				want(t, p, "reload resync")
				taken <- time.Now()
			}()
			from := time.Now()
			for len(taken) == 0 && time.Since(from) < 2*spread {
				w.resync("e", 1, spread)
				time.Sleep(100 * time.Millisecond)
				synctest.Wait()
			}
			if got := (<-taken).Sub(from); got > spread {
				t.Errorf("the Reload came after %v, want at most %v", got, spread)
			}
			time.Sleep(2 * spread)
			synctest.Wait()
		}
	})
}
