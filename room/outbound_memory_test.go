package room_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// heap returns the number of bytes that are allocated and in use.
func heap() int {
	var ms runtime.MemStats
	runtime.GC()
	runtime.GC() // the first collection moves the content of pools to where the second frees it
	runtime.ReadMemStats(&ms)
	return int(ms.HeapAlloc)
}

// allocated returns the number of bytes allocated since the program was started.
func allocated() int {
	var ms runtime.MemStats
	runtime.ReadMemStats(&ms)
	return int(ms.TotalAlloc)
}

// crowd has 99 people in each plan, with states of 1 KiB. The answer to a join has some 110 KB.
func crowd(t *testing.T, h *room.Hub, plans ...string) {
	t.Helper()
	state := strings.Repeat("s", 1000)
	for n := range 99 {
		s := benchConnect(t, h, fmt.Sprint("user", n)).session
		for _, plan := range plans {
			s.Receive([]byte(`{"type":"join-plan","planId":"` + plan + `"}`))
			s.Receive([]byte(`{"type":"update-presence","planId":"` + plan + `","data":{"state":"` + state + `"}}`))
		}
		synctest.Wait()
		s.End(protocol.CloseAbnormal) // its user lingers
	}
}

// throwAway discards what has been written, and returns its length.
func (p *pipe) throwAway() int { return len(p.Take()) }

// A user who reads little or nothing, and repeats joins of crowded plans on all connections, uses
// memory for one answer per connection, the one that is being written, and evicts no history of
// other plans.
func TestStalledJoinsUseLittleMemory(t *testing.T) {
	for _, test := range []struct {
		name   string
		of     sinks
		plans  []string
		window int // bytes that each socket takes
	}{
		{"nothing", sinks{}, []string{"p"}, 0},
		{"a part of an answer", sinks{}, []string{"p"}, 30_000},
		{"one answer", sinks{}, []string{"p"}, 130_000},
		{"a part, of several plans", sinks{}, []string{"p", "q", "r"}, 30_000},
		{"nothing, over TLS", sinks{blocking: true}, []string{"p"}, 0},
		{"a part, over TLS", sinks{blocking: true}, []string{"p"}, 30_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, &room.Options{PingEvery: -1, Linger: time.Hour, HistoryTotal: 1 << 20}, func(t *testing.T, h *room.Hub) {
				crowd(t, h, test.plans...)
				since := position(t, h, "other")
				for n := range 100 {
					update(t, h, "other", n)
				}
				var pipes []*pipe
				for range 20 {
					pipes = append(pipes, test.of.pipe(t, h, "mallory", -1))
				}
				synctest.Wait()
				before := heap()
				for _, p := range pipes {
					p.open(test.window)
					for n := range 64 {
						p.send(`{"type":"join-plan","planId":"` + test.plans[n%len(test.plans)] + `"}`)
					}
				}
				synctest.Wait()
				for _, p := range pipes {
					p.throwAway()
				}
				// One answer of each takes 2.5 MiB.
				if more := heap() - before; more > 4<<20 {
					t.Errorf("%d connections that do not read hold %d KiB", len(pipes), more>>10)
				}
				if got, want := h.Stats().Joins, uint64((99+20)*len(test.plans)); got != want {
					t.Errorf("%d joins, want %d", got, want)
				}
				if !recovers(t, h, "other", since) {
					t.Error("another plan has lost its history")
				}
				for _, p := range pipes {
					p.open(-1)
				}
				for _, p := range pipes {
					if got := p.read(); !strings.HasSuffix(got, "\n") || strings.Contains(got, `"type":"error"`) {
						t.Errorf("the last answer is torn, or an error: %.100q", got)
					}
					wantOpen(t, h, p)
				}
			})
		})
	}
}

// A client that reads 2 KB/s and repeats joins uses no more memory.
func TestTrickleUsesLittleMemory(t *testing.T) {
	bubble(t, &room.Options{PingEvery: -1, Linger: 24 * time.Hour}, func(t *testing.T, h *room.Hub) {
		crowd(t, h, "p")
		p := openPipe(t, h, "mallory", -1)
		p.read()
		p.open(1000)
		before := heap()
		for minute := range 60 {
			for range 6 {
				for range 10 {
					p.send(`{"type":"join-plan","planId":"p"}`)
				}
				time.Sleep(9900 * time.Millisecond)
				p.open(20 << 10)
				synctest.Wait()
				p.throwAway()
			}
			if minute%10 == 9 {
				if more := heap() - before; more > 3<<20 {
					t.Fatalf("minute %d: a connection that reads 2 KB/s holds %d KiB", minute, more>>10)
				}
			}
		}
		wantOpen(t, h, p)
	})
}

// A short write costs in proportion to the bytes it has written, however much waits behind it.
func TestShortWritesAllocateLittle(t *testing.T) {
	for _, test := range []struct {
		name  string
		size  int
		times int // limit of the bytes allocated, as a multiple of the bytes written
		race  int // the same under the race detector, where pools drop buffers at random
	}{{"large answers", 60_000, 4, 4}, {"small answers", 600, 6, 60}} {
		t.Run(test.name, func(t *testing.T) {
			size, times := test.size, test.times
			if raceEnabled {
				times = test.race
			}
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				p := stalledPipe(t, h, "alice")
				n := 500_000 / (size + 200)
				for range n {
					if notify(t, h, "alice", size) != 1 {
						t.Fatal("an event was dropped")
					}
				}
				synctest.Wait()
				before, read := allocated(), 0
				for read < n*size {
					p.open(4000)
					synctest.Wait()
					got := p.throwAway()
					if read += got; got == 0 {
						t.Fatal("nothing more comes")
					}
				}
				if more := allocated() - before; more > times*read {
					t.Errorf("%d KiB allocated to write %d KiB in pieces of 4 KB", more>>10, read>>10)
				}
			})
		})
	}
}

// The answer to a repeated join replaces one that still waits, because it has the same content at a
// later moment.
func TestRepeatedJoinReplacesTheAnswer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := stalledPipe(t, h, "alice")
		update(t, h, "p", 0)
		synctest.Wait() // it is being written
		since := position(t, h, "p")
		p.send(pingMessage)
		for range 20 {
			p.send(`{"type":"join-plan","planId":"p"}`)
			p.send(`{"type":"join-plan","planId":"q"}`)
		}
		synctest.Wait() // joins of two plans may overtake each other
		roomtest.Join(t, h, "bob", "p")
		update(t, h, "p", 1)
		p.send(fmt.Sprintf(`{"type":"join-plan","planId":"p","since":{"epoch":%q,"seq":%d}}`, since.Epoch, since.Seq))
		synctest.Wait()
		p.send(`{"type":"leave-plan","planId":"q"}`)
		p.send(`{"type":"join-plan","planId":"q"}`)
		synctest.Wait()
		p.open(-1)
		var got []string
		for line := range strings.Lines(p.read()) {
			msg, err := protocol.Decode([]byte(line))
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			var data protocol.JoinAnswer
			_ = json.Unmarshal(msg.Data, &data)
			got = append(got, strings.TrimSpace(fmt.Sprintln(msg.Type, msg.PlanID, data.Recovered, data.ParticipantCount, len(data.Participants))))
		}
		want := []string{
			"task-updated p false 0 0",
			"pong  false 0 0",
			"join-plan q false 1 1",
			"join-plan p true 2 2",
			"leave-plan q false 0 0",
			"join-plan q false 1 1",
			"task-updated p false 0 0", // bob's join is in the answer
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("received (-want +got):\n%s", diff)
		}
	})
}

// The list of participants in an answer is from the moment when the answer is written. The client
// receives no notice that the list already contains.
func TestJoinAnswerIsOfTheMomentItIsWritten(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := openPipe(t, h, "alice", 0)
		synctest.Wait() // the greeting is being written
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		bob := roomtest.Join(t, h, "bob", "p")
		setState(bob, "p", `1`)
		roomtest.Join(t, h, "carol", "p")
		bob.Request(protocol.Request{Type: protocol.TypeLeavePlan, PlanID: "p"})
		synctest.Wait()
		p.open(-1)
		hello, rest, _ := strings.Cut(p.read(), "\n")
		answer, rest, _ := strings.Cut(rest, "\n")
		msg, err := protocol.Decode([]byte(answer))
		if err != nil {
			t.Fatalf("after %q: %q: %v", hello, answer, err)
		}
		var data protocol.JoinAnswer
		mustDecode(t, msg, &data)
		if data.ParticipantCount != 2 || len(data.Participants) != 2 || data.Participants[1].UserID != "carol" {
			t.Errorf("the answer lists %+v of %d", data.Participants, data.ParticipantCount)
		}
		if rest != "" {
			t.Errorf("after the answer: %q", rest)
		}
	})
}

// A connection that is ending gets no answer to a join, because its user may have left the plan.
func TestNoJoinAnswerAfterTheEnd(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		p := openPipe(t, h, "alice", 0)
		synctest.Wait() // the greeting is being written
		p.send(`{"type":"join-plan","planId":"p"}`)
		synctest.Wait()
		p.session.Close(protocol.CloseInternal)
		p.open(-1)
		if got := p.read(); strings.Contains(got, "join-plan") || !strings.Contains(got, `"type":"goodbye"`) {
			t.Errorf("wrote %q, want the goodbye and no answer", got)
		}
	})
}

// Connections that stall in the same message share its payload, both for an event of a plan and for
// Notify.
func TestStalledConnectionsShareThePayload(t *testing.T) {
	const connections, size = 20, 200_000
	for name, send := range map[string]func(*testing.T, *room.Hub){
		"event": func(t *testing.T, h *room.Hub) {
			if _, err := h.BroadcastTaskUpdated(t.Context(), "p", jsonOf(size)); err != nil {
				t.Fatal(err)
			}
		},
		"Notify": func(t *testing.T, h *room.Hub) {
			if queued := notify(t, h, "alice", size); queued != connections {
				t.Fatalf("queued for %d connections", queued)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
				var pipes []*pipe
				for range connections {
					p := of.pipe(t, h, "alice", -1)
					p.send(`{"type":"join-plan","planId":"p"}`)
					pipes = append(pipes, p)
				}
				synctest.Wait()
				for _, p := range pipes {
					p.throwAway()
					p.open(1000)
				}
				before := heap()
				send(t, h)
				synctest.Wait()
				if more := heap() - before; more > 4*size {
					t.Errorf("%d connections hold %d KiB of a message of %d KiB", connections, more>>10, size>>10)
				}
				for _, p := range pipes {
					p.open(-1)
				}
				for _, p := range pipes {
					if n := len(p.read()); n < size || n > size+1000 {
						t.Fatalf("%d bytes arrived", n)
					}
				}
			})
		})
	}
}
