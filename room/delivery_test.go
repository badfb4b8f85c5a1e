package room_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A connection has one writer at a time. Messages that arrive during a write are written
// afterwards, by the same or another goroutine.

func TestControlFrameDuringADelivery(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k, writing := openStopped(t, h, "alice")
		k.join("p")
		k.read()
		writing.armed = true
		update(t, h, "p", 1)
		<-writing.reached
		k.session.WriteControl([]byte("(pong)\n"))
		close(writing.release)
		if got := kinds(t, k.read()); got != "task-updated (pong)" {
			t.Errorf("wrote %s", got)
		}
	})
}

// On a full socket, a newer control frame replaces the waiting one for good.
func TestNewestControlFrameOnAFullSocket(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		writing, armed := newStop(), false
		k := openHooked(t, h, "alice", roomtest.Lines{}, func(_ int, b []byte) int {
			if armed {
				armed = false
				writing.pass()
				return 0
			}
			return len(b)
		})
		k.read()
		armed = true
		go k.session.WriteControl([]byte("(pong 1)\n"))
		<-writing.reached
		k.session.WriteControl([]byte("(pong 2)\n"))
		close(writing.release)
		if got := k.read(); got != "(pong 2)\n" {
			t.Errorf("wrote %q", got)
		}
	})
}

func TestDeliveriesOfTwoPlans(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		p.join("q", nil)
		synctest.Wait()
		p.take()
		writing.Arm()
		update(t, h, "p", 1)
		writing.Wait()
		update(t, h, "q", 2)
		synctest.Wait()
		writing.Release()
		synctest.Wait()
		if got := p.types(); got != "[task-updated task-updated]" {
			t.Errorf("read %s", got)
		}
		// seamTest checks that no two writes overlapped
	})
}

// A pump that is stopped at one member does not write to another member that was removed meanwhile.
func TestRemovedDuringADelivery(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		second := openHooked(t, h, "second", roomtest.Lines{}, all)
		second.join("p")
		gathered()
		second.read()
		p.take()
		writing.Arm()
		update(t, h, "p", 1)
		writing.Wait() // the first member
		if _, err := h.Revoke(t.Context(), "p", "second"); err != nil {
			t.Fatal(err)
		}
		writing.Release()
		if got := kinds(t, second.read()); got != "removed" {
			t.Errorf("wrote %s", got)
		}
	})
}

// A connection that is cut while a pump writes to it ends, also if the write succeeds.
func TestCutDuringADelivery(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k, writing := openStopped(t, h, "alice")
		k.join("p")
		k.read()
		writing.armed = true
		update(t, h, "p", 1)
		<-writing.reached
		k.session.End(protocol.CloseAbnormal)
		close(writing.release)
		synctest.Wait()
		select {
		case <-k.session.Done():
		default:
			t.Error("the session has not ended")
		}
	})
}

// While Observer.Join runs, the new member receives nothing. Then it receives the answer and all
// events since, even if they are more than HistoryEvents.
func TestEventsDuringAJoin(t *testing.T) {
	const events = 40
	var joining *stop
	opts := &room.Options{HistoryEvents: events / 2}
	opts.Observer.Join = func(i room.JoinInfo) {
		if i.Connection.UserID == "alice" {
			joining.pass()
		}
	}
	bubble(t, opts, func(t *testing.T, h *room.Hub) {
		joining = newStop() // in the bubble
		roomtest.Join(t, h, "bob", "p")
		k := openHooked(t, h, "alice", roomtest.Lines{}, all)
		k.read()
		k.join("p")
		<-joining.reached
		for n := range events {
			update(t, h, "p", n)
		}
		synctest.Wait()
		close(joining.release)
		want := "join-plan" + strings.Repeat(" task-updated", events)
		if got := kinds(t, k.read()); got != want {
			t.Errorf("wrote %s", got)
		}
	})
}

// The events of a pass stay in the history until the members that get a receipt instead have read
// it.
func TestBurstWhileAPumpWrites(t *testing.T) {
	const events = 40
	seamTest(t, &room.Options{HistoryEvents: events / 2}, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		excepted := openHooked(t, h, "excepted", roomtest.Lines{}, all)
		excepted.join("p")
		gathered()
		excepted.read()
		writing.Arm()
		update(t, h, "p", 0, room.ExceptUser("excepted"))
		writing.Wait()
		for n := range events {
			update(t, h, "p", n+1)
		}
		writing.Release()
		if got := kinds(t, excepted.read()); got != "receipt"+strings.Repeat(" task-updated", events) {
			t.Errorf("wrote %s", got)
		}
	})
}

// A pump passes a long write to one connection on to a goroutine of that
// connection.
func TestBacklogDoesNotBlockThePump(t *testing.T) {
	bubble(t, &room.Options{QueuePerConnection: 4 << 20, QueuePerUser: 8 << 20}, func(t *testing.T, h *room.Hub) {
		first, later := newStop(), newStop()
		begin := 0 // the number of the delivery
		armed := false
		slow := openHooked(t, h, "slow", roomtest.Lines{}, func(call int, b []byte) int {
			switch {
			case armed:
				armed, begin = false, call
				first.pass()
			case begin > 0 && call == begin+6:
				later.pass()
			}
			return len(b)
		})
		slow.join("p")
		slow.read()
		other := openHooked(t, h, "other", roomtest.Lines{}, all)
		other.join("p")
		gathered()
		other.read()
		armed = true
		update(t, h, "p", 1)
		<-first.reached
		for range 10 {
			if _, err := h.Notify(t.Context(), "slow", protocol.TaskUpdated(jsonOf(60_000))); err != nil {
				t.Fatal(err)
			}
		}
		close(first.release)
		<-later.reached
		if got := kinds(t, other.read()); got != "task-updated" {
			t.Errorf("wrote %q to the other member while a backlog was written", got)
		}
		close(later.release)
		if got := strings.Count(slow.read(), `"task-updated"`); got != 11 {
			t.Errorf("wrote %d of 11 messages", got)
		}
	})
}

func TestBatchesAreBounded(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k, writing := openStopped(t, h, "alice")
		k.join("p")
		k.read()
		writing.armed = true
		update(t, h, "p", 0)
		<-writing.reached
		const events, size = 200, 2000
		for range events {
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", jsonOf(size)); err != nil {
				t.Fatal(err)
			}
		}
		close(writing.release)
		if got := strings.Count(k.read(), `"task-updated"`); got != events+1 {
			t.Errorf("wrote %d of %d events", got, events+1)
		}
		if k.largest > 64<<10+2*size {
			t.Errorf("%d bytes in one write", k.largest)
		}
	})
}

// hexFraming encodes payloads, so that a frame does not contain its payload.
type hexFraming struct{ roomtest.Lines }

func (hexFraming) AppendMessage(dst, payload []byte) []byte {
	return append(hex.AppendEncode(dst, payload), '\n')
}

func TestShortWritesOfAnEncodingFraming(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k := openHooked(t, h, "alice", hexFraming{}, func(_ int, b []byte) int { return min(len(b), 7) })
		k.join("p")
		text := k.read()
		update(t, h, "p", 1)
		update(t, h, "p", 2)
		text += k.read()
		var got []protocol.Type
		for line := range strings.Lines(text) {
			payload, err := hex.DecodeString(strings.TrimSpace(line))
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			msg, err := protocol.Decode(payload)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, msg.Type)
		}
		want := []protocol.Type{protocol.TypePong, protocol.TypeJoinPlan, protocol.TypeTaskUpdated, protocol.TypeTaskUpdated}
		if !slices.Equal(got, want) {
			t.Errorf("wrote %v, want %v", got, want)
		}
	})
}

// A closing connection gets no answer to a join, and no other frame instead.
func TestUnansweredJoinOfAClosingConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := openPipe(t, h, "alice", 0)
		synctest.Wait()
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		p.session.Close(protocol.CloseInternal)
		p.open(-1)
		if got := kinds(t, p.read()); got != "pong goodbye (close 4500 internal error)" {
			t.Errorf("wrote %s", got)
		}
	})
}
