package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// TestOrderUnderChurn broadcasts from 8 goroutines to members that join, leave, stall, read in
// small pieces and lose their connection.
func TestOrderUnderChurn(t *testing.T) {
	h := newHub(t, &room.Options{HistoryEvents: 64, Linger: time.Millisecond})
	var order numbering
	var background ender
	var ids atomic.Int64
	for range 8 {
		background.loop(func() {
			id := json.RawMessage(fmt.Sprint(ids.Add(1)))
			if _, err := h.BroadcastTaskUpdated(context.Background(), "p", id, room.ExceptUser(fmt.Sprint(rand.N(30)))); err != nil {
				t.Error(err)
			}
			runtime.Gosched()
		})
	}
	until := time.Now().Add(700 * time.Millisecond)
	var events atomic.Int64
	var wg sync.WaitGroup
	for n := range 12 {
		wg.Go(func() {
			user := fmt.Sprint(n)
			for time.Now().Before(until) {
				p := newPeer(byte(1+n%2), 1+rand.N(2000))
				p.opts.Blocking = n%4 == 0
				mustConnect(t, h, p, user)
				s := stream{plan: "p", order: &order}
				for range 1 + rand.N(30) {
					switch rand.N(6) {
					case 0, 1:
						p.join("p", nil)
					case 2:
						p.leave("p")
					case 3:
						p.stall()
					case 4:
						p.sip(rand.N(300))
					case 5:
						p.unstall()
					}
					time.Sleep(time.Duration(rand.N(300)) * time.Microsecond)
					s.follow(t, user, p.take())
				}
				p.end(protocol.CloseAbnormal)
				p.unstall()
				s.follow(t, user, p.take())
				p.check(t)
				events.Add(int64(s.events))
			}
		})
	}
	wg.Wait()
	background.end()
	t.Logf("%d events sent, %d received", ids.Load(), events.Load())
}

// TestResumeIsComplete cuts and resumes connections during broadcasts. In total, a client receives
// each event once.
func TestResumeIsComplete(t *testing.T) {
	h := newHub(t, &room.Options{HistoryEvents: 1 << 20, HistoryBytes: 1 << 30, HistoryTotal: 1 << 30})
	start, err := h.Position(context.Background(), "p")
	if err != nil {
		t.Fatal(err)
	}
	var order numbering
	var sent atomic.Int64
	var background ender
	for range 2 {
		background.loop(func() {
			if _, err := h.BroadcastTaskUpdated(context.Background(), "p", json.RawMessage(fmt.Sprint(sent.Add(1))), room.ExceptUser("2")); err != nil {
				t.Error(err)
			}
			time.Sleep(20 * time.Microsecond)
		})
	}
	var wg sync.WaitGroup
	until := time.Now().Add(700 * time.Millisecond)
	for n := range 6 {
		wg.Go(func() {
			user := fmt.Sprint(n)
			s := stream{plan: "p", order: &order}
			s.chain.Reset(start)
			for done := false; !done; {
				done = time.Now().After(until)
				if done { // the last round receives everything
					background.end()
				}
				p := newPeer(byte(1+n%2), 500)
				p.opts.Blocking = n == 3
				mustConnect(t, h, p, user)
				for range 1 + rand.N(3) { // a repeated join moves to since as well
					since := s.chain.Position()
					p.join("p", &since)
					if rand.N(3) == 0 && !done {
						p.stall()
						time.Sleep(time.Duration(rand.N(500)) * time.Microsecond)
						p.unstall()
					}
					time.Sleep(time.Duration(rand.N(1000)) * time.Microsecond)
					s.follow(t, user, p.take())
				}
				if done {
					end, err := h.Position(context.Background(), "p")
					if err != nil {
						t.Error(err)
					}
					p.wait(5*time.Second, func() bool { s.follow(t, user, p.take()); return s.seq() == end.Seq })
					if s.seq() != end.Seq || s.resyncs > 0 {
						t.Errorf("%s ended at %d of %d, with %d resyncs", user, s.seq(), end.Seq, s.resyncs)
					}
				}
				p.end(protocol.CloseAbnormal)
				s.follow(t, user, p.take())
				s.in = false
				p.check(t)
			}
		})
	}
	wg.Wait()
	order.mu.Lock()
	defer order.mu.Unlock()
	if int64(len(order.ids)) != sent.Load() {
		t.Errorf("%d of %d events were received", len(order.ids), sent.Load())
	}
}
