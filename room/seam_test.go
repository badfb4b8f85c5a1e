package room_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// seamTest has one user in plan p whose connection can be stopped while it frames or while it
// writes.
func seamTest(t *testing.T, opts *room.Options, test func(t *testing.T, h *room.Hub, p *peer, framing, writing *roomtest.Hold)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, opts)
		p := newPeer(1, 10)
		framing, writing := roomtest.NewHold(t), roomtest.NewHold(t)
		p.opts.Framing.Hold, p.opts.Hold = framing, writing
		mustConnect(t, h, p, "u")
		p.join("p", nil)
		synctest.Wait()
		p.take()
		test(t, h, p, framing, writing)
		synctest.Wait()
		p.check(t)
	})
}

// types returns the message types that the peer has read since the last call.
func (p *peer) types() string {
	var types []protocol.Type
	for _, h := range p.take() {
		types = append(types, h.msg.Type)
	}
	return fmt.Sprint(types)
}

// If a full socket stops before the payload of a frame, the rest is written in several parts.
// Revoke waits for the last part, and does not cut the connection before.
func TestSeamRevokeBetweenTheParts(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		p.capacity = 3 // half of the header
		p.stall()
		update(t, h, "p", 1)
		synctest.Wait() // the rest of the header waits in Write
		revoked := make(chan error, 1)
		go func() { revoked <- errorOf(h.Revoke(context.Background(), "p", "u")) }()
		synctest.Wait()
		writing.Arm()
		p.unstall()
		writing.Wait() // before the payload
		synctest.Wait()
		if p.isClosed() {
			t.Error("the connection was cut between two parts of a frame that it takes")
		}
		writing.Release()
		if err := <-revoked; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := p.types(); got != "[task-updated removed]" || p.isClosed() {
			t.Errorf("received %s, closed %v", got, p.isClosed())
		}
	})
}

func TestSeamRevokeBeforeTheWrite(t *testing.T) {
	for _, except := range []string{"u", "somebody"} { // a receipt, and the event
		seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, framing, _ *roomtest.Hold) {
			// The first event is half written, so that the next one is read from the log.
			p.stall()
			update(t, h, "p", 1)
			synctest.Wait()
			update(t, h, "p", 2, room.ExceptUser(except))
			synctest.Wait()
			framing.Arm()
			p.unstall()
			framing.Wait()
			if got := p.types(); got != "[task-updated]" {
				t.Errorf("received %s", got)
			}
			if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
				t.Fatal(err)
			}
			framing.Release()
			synctest.Wait()
			if got := p.types(); got != "[removed]" || p.isClosed() {
				t.Errorf("closed %v, received %s", p.isClosed(), got)
			}
		})
	}
}

func TestSeamRevokeDuringTheWrite(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		cut   bool
	}{
		{"soon over", 50 * time.Millisecond, false},
		{"too long", 150 * time.Millisecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
				writing.Arm()
				update(t, h, "p", 1)
				writing.Wait()
				var bytes int64 = -1
				go func() {
					if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
						t.Error(err)
					}
					bytes = p.bytes()
				}()
				time.Sleep(c.takes)
				synctest.Wait()
				if bytes >= 0 {
					t.Error("Revoke returned while the event was being written")
				}
				writing.Release()
				synctest.Wait()
				if bytes < 0 {
					t.Error("Revoke did not return after the write")
				}
				want := "[task-updated removed]"
				if c.cut {
					want = "[]"
				}
				if got := p.types(); p.isClosed() != c.cut || got != want {
					t.Errorf("closed %v, received %s", p.isClosed(), got)
				}
			})
		})
	}
}

// A pump that finds a connection busy marks it dirty immediately, not at the end of the pass, when
// the connection may be idle again.
func TestSeamBusyDuringAPass(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		other := newPeer(1, 10)
		other.opts.Hold = roomtest.NewHold(t)
		mustConnect(t, h, other, "v")
		other.join("p", nil)
		gathered()
		p.take()

		writing.Arm()
		p.request(protocol.Request{Type: protocol.TypePing})
		writing.Wait()
		other.opts.Hold.Arm()
		update(t, h, "p", 1)
		other.opts.Hold.Wait() // the pass has visited p, and is not over
		writing.Release()
		synctest.Wait()
		other.opts.Hold.Release()
		synctest.Wait()
		if got := p.types(); got != "[pong task-updated]" {
			t.Errorf("received %s", got)
		}
	})
}

// A connection that left a plan, or is closing, with a frame of the plan half written is cut by
// Revoke.
func TestSeamRevokeAfterLeaving(t *testing.T) {
	for name, leave := range map[string]func(p *peer){
		"left":    func(p *peer) { p.leave("p") },
		"closing": func(p *peer) { p.session.Close(protocol.CloseUnauthorized) },
	} {
		t.Run(name, func(t *testing.T) {
			seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, _ *roomtest.Hold) {
				p.stall()
				update(t, h, "p", 1)
				synctest.Wait()
				leave(p)
				synctest.Wait()
				if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
					t.Fatal(err)
				}
				before := p.bytes()
				p.unstall()
				synctest.Wait()
				if got := p.types(); got != "[]" || p.bytes() != before || !p.isClosed() {
					t.Errorf("closed %v, %d more bytes: %s", p.isClosed(), p.bytes()-before, got)
				}
			})
		})
	}
}

// A connection that stalls on another plan, or on an answer without a plan, stays open.
func TestSeamRevokeKeepsOtherPlans(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, _ *roomtest.Hold) {
		p.join("q", nil)
		synctest.Wait()
		p.take()
		p.stall()
		update(t, h, "q", 1)
		synctest.Wait()
		update(t, h, "p", 2)
		synctest.Wait()
		if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
			t.Fatal(err)
		}
		p.unstall()
		synctest.Wait()
		if got := p.types(); got != "[task-updated removed]" || p.isClosed() {
			t.Errorf("closed %v, received %s", p.isClosed(), got)
		}
	})
}

// Disconnect cuts a connection with a half written frame, even if it was already closing.
func TestSeamDisconnectHalfWritten(t *testing.T) {
	for name, before := range map[string]func(p *peer){
		"open":    func(*peer) {},
		"closing": func(p *peer) { p.session.Close(protocol.CloseInternal) },
	} {
		t.Run(name, func(t *testing.T) {
			seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, _ *roomtest.Hold) {
				p.stall()
				update(t, h, "p", 1)
				synctest.Wait()
				before(p)
				synctest.Wait()
				if _, err := h.Disconnect(t.Context(), "u"); err != nil {
					t.Fatal(err)
				}
				before := p.bytes()
				p.unstall()
				synctest.Wait()
				if got := p.types(); got != "[]" || p.bytes() != before || !p.isClosed() {
					t.Errorf("closed %v, %d more bytes: %s", p.isClosed(), p.bytes()-before, got)
				}
			})
		})
	}
}

// Revoke comes during Observer.Join: the join is refused, and Observer.Leave is called afterwards.
func TestSeamRevokeDuringAJoin(t *testing.T) {
	var h *room.Hub
	var observed []string
	synctest.Test(t, func(t *testing.T) {
		h = newHub(t, &room.Options{Observer: room.Observer{
			Join: func(room.JoinInfo) {
				observed = append(observed, "join")
				if _, err := h.Revoke(t.Context(), "p", "u"); err != nil {
					t.Error(err)
				}
			},
			Leave: func(room.LeaveInfo) { observed = append(observed, "leave") },
		}})
		p := mustConnect(t, h, newPeer(1, 10), "u")
		p.join("p", nil)
		update(t, h, "p", 1)
		synctest.Wait()
		if got := p.types(); got != "[pong removed error]" || fmt.Sprint(observed) != "[join leave]" {
			t.Errorf("received %s, observer calls %v", got, observed)
		}
	})
}

// An Authorize that returns nil at the deadline is too late, whichever the hub notices first.
func TestSeamAuthorizeTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, &room.Options{Authorize: func(ctx context.Context, _ auth.Identity, _ string) error {
			<-ctx.Done()
			return nil
		}})
		var peers [50]*peer
		for i := range peers {
			peers[i] = mustConnect(t, h, newPeer(1, 10), fmt.Sprint("u", i))
			peers[i].join("p", nil)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		for _, p := range peers {
			if got := p.types(); got != "[pong error]" {
				t.Errorf("received %s", got)
			}
		}
	})
}

// A connection that was already closing before Shutdown is cut with the others when the time is up.
func TestSeamShutdownWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, nil)
		p := mustConnect(t, h, newPeer(1, 10), "u")
		p.stall()
		p.session.Close(protocol.CloseInternal)
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		begin := time.Now()
		if err := h.Shutdown(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
		select {
		case <-p.session.Done():
		default:
			t.Error("the connection is not over")
		}
		if took := time.Since(begin); took > 0 {
			t.Errorf("Shutdown took %v", took)
		}
	})
}
