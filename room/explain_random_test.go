package room_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// witness is a connection that records what was written to it, up to the last whole frame.
type witness struct {
	*pipe
	user    string
	part    string
	got     map[uint64]protocol.Type // events and receipts of plan p
	resyncs int
}

// look takes what has been written since the last call.
func (w *witness) look(t *testing.T) {
	t.Helper()
	text := w.part + w.read()
	end := strings.LastIndexByte(text, '\n') + 1
	w.part = text[end:]
	for line := range strings.Lines(text[:end]) {
		if strings.HasPrefix(line, "(") {
			continue // a control frame
		}
		msg, err := protocol.Decode([]byte(line))
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		switch {
		case msg.PlanID != "p":
		case msg.Type == protocol.TypeResync:
			w.resyncs++
		case msg.Seq != 0:
			w.got[msg.Seq] = msg.Type
		}
	}
}

// check compares the answer about one event with what was written.
func (w *witness) check(t *testing.T, seq uint64, x *room.Explanation) {
	t.Helper()
	var of []room.ConnectionOutcome
	has := make(map[room.Outcome]bool)
	for _, c := range x.Connections {
		if c.ConnectionID == w.session.ID() {
			of = append(of, c)
			has[c.Outcome] = true
		}
	}
	got := w.got[seq]
	switch {
	case has[room.OutcomeWritten] && x.Event == room.EventHeld && (got == "" || got == protocol.TypeReceipt),
		has[room.OutcomeWritten] && got == "",
		has[room.OutcomeExcluded] && got != protocol.TypeReceipt,
		has[room.OutcomeResynced] && w.resyncs == 0,
		!has[room.OutcomeWritten] && !has[room.OutcomeExcluded] && !has[room.OutcomeWriting] && !has[room.OutcomeUnknown] && got != "",
		len(of) == 0 && got != "":
		t.Fatalf("%s, event %d (%s): written to the connection: %q, resyncs %d, but Explain says %+v", w.user, seq, x.Event, got, w.resyncs, of)
	}
}

// recovered counts joins that resumed, so that the test requires some.
const recovered room.Outcome = "recovered"

// No answer of Explain contradicts what was written to the connections, whatever happens to them.
func TestExplainIsRight(t *testing.T) {
	seen := make(map[room.Outcome]int)
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			opts := &room.Options{HistoryEvents: 6, HistoryBytes: 400 << 10, WriteTimeout: 3 * time.Second}
			bubble(t, opts, func(t *testing.T, h *room.Hub) { explainRandomly(t, h, seed, seen) })
		})
	}
	for _, o := range []room.Outcome{
		recovered, room.OutcomeWritten, room.OutcomeExcluded, room.OutcomeWriting, room.OutcomeSlow, room.OutcomeResynced, room.OutcomeNotJoined,
		room.OutcomeJoinedLater, room.OutcomeLeft, room.OutcomeUnwritten, room.OutcomeUnknown,
	} {
		if seen[o] == 0 {
			t.Errorf("outcome %s never came: %v", o, seen)
		}
	}
}

func explainRandomly(t *testing.T, h *room.Hub, seed uint64, seen map[room.Outcome]int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	users := []string{"alice", "bob"}
	var all, open []*witness
	connect := func(user string) {
		w := &witness{pipe: sinks{blocking: rnd.IntN(2) == 0}.pipe(t, h, user, -1), user: user, got: make(map[uint64]protocol.Type)}
		all, open = append(all, w), append(open, w)
	}
	var events []uint64 // of plan p
	publish := func(plan string, bytes int, opts ...room.BroadcastOption) {
		at, err := h.Broadcast(t.Context(), plan, protocol.TaskUpdated(map[string]string{"id": strings.Repeat("x", bytes)}), opts...)
		if err != nil {
			t.Fatal(err)
		}
		if plan == "p" {
			events = append(events, at.Seq)
		}
	}
	connect("alice")
	connect("bob")
	defer func() { seen[recovered] += int(h.Stats().Recovered) }()
	for range 60 {
		w := open[rnd.IntN(len(open))]
		switch rnd.IntN(16) {
		case 0, 1:
			w.send(`{"type":"join-plan","planId":"p"}`)
		case 2:
			w.send(fmt.Sprintf(`{"type":"join-plan","planId":"p","since":{"epoch":%q,"seq":%d}}`,
				position(t, h, "p").Epoch, events0(events, rnd)))
		case 3:
			w.send(`{"type":"leave-plan","planId":"p"}`)
		case 4:
			w.send(`{"type":"join-plan","planId":"q"}`)
		case 5:
			publish("q", 10)
		case 6, 7, 8:
			publish("p", rnd.IntN(200))
		case 9:
			publish("p", 10, room.ExceptUser(users[rnd.IntN(2)]))
		case 10:
			publish("p", 70<<10)
		case 11:
			w.open(rnd.IntN(300))
		case 12, 13:
			w.open(-1)
		case 14:
			synctest.Wait()
			time.Sleep(time.Duration(rnd.IntN(1000)) * time.Millisecond)
		case 15:
			switch rnd.IntN(3) {
			case 0:
				_ = h.Resync(t.Context(), "p")
			case 1:
				w.End(protocol.CloseAbnormal)
				connect(w.user)
			case 2:
				_, _ = h.Revoke(t.Context(), "p", w.user)
			}
		}
		open = stillOpen(open)
		for len(open) < 2 {
			connect(users[rnd.IntN(2)])
		}
		if rnd.IntN(3) == 0 {
			continue // several steps without waiting
		}
		synctest.Wait()
		for _, w := range all {
			w.look(t)
		}
		for _, user := range users {
			for _, seq := range events {
				x, err := h.Explain("p", user, seq)
				if err != nil || x.Event == room.EventNone || x.Event == room.EventAhead {
					t.Fatalf("event %d: %+v, %v", seq, x, err)
				}
				for _, c := range x.Connections {
					seen[c.Outcome]++
				}
				for _, w := range all {
					if w.user == user {
						w.check(t, seq, &x)
					}
				}
			}
		}
	}
}

// events0 picks an event, or the beginning.
func events0(events []uint64, rnd *rand.Rand) uint64 {
	if n := len(events); n > 0 {
		return events[max(0, n-1-rnd.IntN(5))]
	}
	return 0
}

func stillOpen(list []*witness) (open []*witness) {
	for _, w := range list {
		if s := w.State(); !s.Over && !s.Cut && !s.Finished {
			open = append(open, w)
		}
	}
	return open
}
