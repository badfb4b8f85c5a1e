package room_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// The answers of Explain for events that wait, that are being written, and whose write failed.

// A connection that does not read: events that wait, that were dropped, and that it left without.
func TestExplainSlowMembers(t *testing.T) {
	eachSink(t, &room.Options{HistoryEvents: 2, HistoryBytes: 1000, WriteTimeout: 5 * time.Second}, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(10) // less than one frame
		time.Sleep(time.Second)
		update(t, h, "p", 1)
		stalled := time.Now()
		synctest.Wait()
		update(t, h, "p", 2)
		time.Sleep(time.Second)
		for seq, want := range map[uint64]room.Outcome{1: room.OutcomeWriting, 2: room.OutcomeSlow} {
			if c := wantOutcomes(t, h, "alice", seq, want).Connections[0]; !c.Since.Equal(stalled) || c.Written != 0 {
				t.Errorf("event %d: %+v, want slow since %v", seq, c, stalled)
			}
		}
		if list := h.Lagging("p", 5); len(list) != 1 || list[0].UserID != "alice" || !list[0].Since.Equal(stalled) {
			t.Errorf("Lagging = %+v", list)
		}
		if r := h.Rooms()[0]; r.Lagging != 1 {
			t.Errorf("%+v", r)
		}
		for n := range 20 { // the history drops the events that it waits for
			update(t, h, "p", n)
		}
		p.open(-1)
		p.read()
		resynced := time.Now()
		wantOutcomes(t, h, "alice", 1, room.OutcomeWritten) // its frame had begun
		for _, seq := range []uint64{2, 3, last(t, h)} {
			if c := wantOutcomes(t, h, "alice", seq, room.OutcomeResynced).Connections[0]; !c.Since.Equal(resynced) {
				t.Errorf("event %d: %+v", seq, c)
			}
		}
		update(t, h, "p", 1)
		wantOutcomes(t, h, "alice", last(t, h), room.OutcomeWritten)
		if list := h.Lagging("p", 5); len(list) != 0 {
			t.Errorf("Lagging = %+v", list)
		}

		p.open(10)
		update(t, h, "p", 1)
		synctest.Wait() // its frame has begun
		update(t, h, "p", 2)
		time.Sleep(10 * time.Second) // longer than WriteTimeout
		end := last(t, h)
		for seq, want := range map[uint64]room.Outcome{end - 1: room.OutcomeUnknown, end: room.OutcomeUnwritten} {
			c := wantOutcomes(t, h, "alice", seq, want).Connections[0]
			if c.CloseCode != protocol.CloseTooSlow || c.LeaveReason != room.LeaveClosed {
				t.Errorf("event %d: %+v", seq, c)
			}
		}
	})
}

// Explain during the write of an event, and after the connection has broken during the write.
func TestExplainDuringAWrite(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		k, writing := openStopped(t, h, "alice")
		k.join("p")
		gathered()
		update(t, h, "p", 1)
		synctest.Wait()
		writing.armed = true
		update(t, h, "p", 2)
		<-writing.reached
		update(t, h, "p", 3)
		x := explain(t, h, "alice", 1)
		if o := x.Connections[0].Outcome; o != room.OutcomeWritten {
			t.Errorf("event 1: %s", o)
		}
		for _, seq := range []uint64{2, 3} {
			if o := explain(t, h, "alice", seq).Connections[0].Outcome; o != room.OutcomeWriting {
				t.Errorf("event %d: %s", seq, o)
			}
		}
		k.session.End(protocol.CloseAbnormal)
		for seq, want := range map[uint64]room.Outcome{1: room.OutcomeWritten, 2: room.OutcomeUnknown, 3: room.OutcomeUnwritten} {
			if o := explain(t, h, "alice", seq).Connections[0].Outcome; o != want {
				t.Errorf("event %d after the end: %s, want %s", seq, o, want)
			}
		}
		close(writing.release)
	})
}

// breaking is a connection whose next write takes so many bytes, and then fails or, with block, is
// continued by a write that fails.
type breaking struct {
	*hooked
	takes int // negative: it does not break yet
	block bool
}

var errBroken = errors.New("broken pipe")

func (k *breaking) TryWrite(b []byte) (int, error) {
	switch {
	case k.takes < 0:
		return k.hooked.TryWrite(b)
	case !k.block:
		return k.takes, errBroken
	}
	n := k.takes
	k.takes = 0
	return n, nil
}

func (k *breaking) Write([]byte, time.Time) (int, error) { return 0, errBroken }

// broken returns the answers of Explain for the events 1 to 3 after the write of the second event
// has failed.
func broken(t *testing.T, h *room.Hub, takes int, block bool) (outcomes []room.Outcome) {
	t.Helper()
	k := &breaking{hooked: &hooked{framing: roomtest.Lines{}, take: all}, takes: -1, block: block}
	var err error
	if k.session, err = h.Connect(t.Context(), auth.Identity{UserID: "alice"}, k, nil); err != nil {
		t.Fatal(err)
	}
	k.join("p")
	gathered()
	update(t, h, "p", 1)
	synctest.Wait()
	k.takes = takes
	update(t, h, "p", 2)
	synctest.Wait()
	update(t, h, "p", 3)
	k.session.End(protocol.CloseAbnormal)
	for seq := range uint64(3) {
		outcomes = append(outcomes, explain(t, h, "alice", seq+1).Connections[0].Outcome)
	}
	return outcomes
}

// A write that failed may have sent the event, whatever it returns.
func TestExplainBrokenConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		got := broken(t, h, 0, false)
		if want := []room.Outcome{room.OutcomeWritten, room.OutcomeUnknown, room.OutcomeUnknown}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// The connection took only the beginning of the frame of an event. The next event still waited.
func TestExplainTornFrame(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		got := broken(t, h, 10, true)
		if want := []room.Outcome{room.OutcomeWritten, room.OutcomeUnknown, room.OutcomeUnwritten}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// The event was not written to a member that left before the pump reached it.
func TestExplainLeftBeforeTheWrite(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		first, writing := openStopped(t, h, "alice")
		first.join("p")
		synctest.Wait() // the pump comes to alice first
		bob := roomtest.Join(t, h, "bob", "p")
		gathered()
		writing.armed = true
		update(t, h, "p", 1)
		<-writing.reached // the pump is at alice
		bob.Send(`{"type":"leave-plan","planId":"p"}`)
		if !bob.Sink().Wait(time.Minute, func() bool { return h.Rooms()[0].Connections == 1 }) {
			t.Fatal("bob has not left")
		}
		close(writing.release)
		synctest.Wait()
		c := wantOutcomes(t, h, "bob", 1, room.OutcomeUnwritten).Connections[0]
		if c.LeaveReason != room.LeaveRequested {
			t.Errorf("%+v", c)
		}
	})
}

// Hub.Resync is an event that all members miss. Only the last resyncs of a membership are
// remembered.
func TestExplainManyResyncs(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		roomtest.Join(t, h, "alice", "p")
		update(t, h, "p", 1)
		for range 10 {
			synctest.Wait()
			if err := h.Resync(t.Context(), "p"); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			update(t, h, "p", 1)
		}
		// odd seqs are events, even ones are resyncs.
		end := last(t, h)
		for seq := uint64(1); seq <= end; seq++ {
			want := room.OutcomeWritten
			switch {
			case seq <= end-16-1:
				want = room.OutcomeUnknown
			case seq%2 == 0:
				want = room.OutcomeResynced
			}
			wantOutcomes(t, h, "alice", seq, want)
		}
	})
}
