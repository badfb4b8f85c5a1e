package room_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// miscounting is a sink that takes everything, or nothing at once with blocking set, and then
// returns an impossible count.
type miscounting struct {
	blocking bool
	count    func(n int) int // nil: the right one
	session  *room.Session
}

func (k *miscounting) Framing() room.Framing { return roomtest.Lines{} }

func (k *miscounting) TryWrite(b []byte) (int, error) {
	if k.blocking {
		return 0, nil
	}
	return k.counted(b), nil
}

func (k *miscounting) Write(b []byte, _ time.Time) (int, error) { return k.counted(b), nil }

func (k *miscounting) counted(b []byte) int {
	if k.count == nil {
		return len(b)
	}
	return k.count(len(b))
}

func (k *miscounting) Finish() {}

func (k *miscounting) Close() error {
	go k.session.End(protocol.CloseAbnormal)
	return nil
}

// A sink that returns an impossible count ends only its own connection.
func TestImpossibleCounts(t *testing.T) {
	counts := map[string]func(n int) int{
		"more":   func(n int) int { return n + 1 },
		"less":   func(int) int { return -1 },
		"lowest": func(int) int { return math.MinInt },
	}
	for name, count := range counts {
		for _, blocking := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " blocking ", blocking), func(t *testing.T) {
				impossibleCount(t, &miscounting{blocking: blocking}, count)
			})
		}
	}
	t.Run("none blocking true", func(t *testing.T) {
		impossibleCount(t, &miscounting{blocking: true}, func(int) int { return 0 })
	})
}

func impossibleCount(t *testing.T, k *miscounting, count func(n int) int) {
	for _, write := range []string{"event", "reply"} {
		bubble(t, nil, func(t *testing.T, h *room.Hub) {
			other := roomtest.Join(t, h, "bob", "p")
			k.count = nil
			s, err := h.Connect(t.Context(), auth.Identity{UserID: "ann"}, k, nil)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			k.session = s
			s.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
			gathered()
			synctest.Wait()
			k.count = count
			if write == "reply" {
				s.Receive([]byte(`{"type":"ping"}`))
				synctest.Wait()
			}
			update(t, h, "p", 1)
			<-s.Done()
			wantEvent(t, other, 1)
		})
	}
}
