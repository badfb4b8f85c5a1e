package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

func TestHoleIsFilledOnTheSameConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		w.event("demo", 2, 1)
		w.event("demo", 2, 1) // again
		w.event("demo", 1, 0)
		w.event("demo", 5, 4) // 4 is missing
		w.event("demo", 6, 5) // comes again after the answer
		req := w.hear(protocol.TypeJoinPlan)
		if want := (protocol.Position{Epoch: "e", Seq: 2}); req.Since == nil || *req.Since != want {
			t.Errorf("joined again since %v, want %v", req.Since, want)
		}
		w.say(`{"type":"resync","planId":"demo","data":{"position":{"epoch":"e","seq":9},"reason":"late"}}`) // of the former place
		w.joined("demo", true, "e", 2)
		w.event("demo", 4, 2)
		w.event("demo", 5, 4)
		want(t, p, "reload joined", "task 1", "task 2", "join-plan   1", "task 4", "task 5")
		w.silent()
	})
}

// An answer to a join that was not even sent is none.
func TestAnswerBeforeTheQuestion(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.event("demo", 9, 8) // the join that this asks for waits until the state has been taken
		w.joined("demo", true, "e", 0)
		w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
		synctest.Wait()
		w.hear(protocol.TypeUpdatePresence)
		w.join(true, "e", 0)
		w.hear(protocol.TypeUpdatePresence)
		w.event("demo", 1, 0)
		want(t, p, "reload joined", "join-plan   1", "task 1")
	})
}

// A hole that joining again does not fill is told, and not asked about for ever.
func TestHoleThatStays(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		w.event("demo", 5, 4)
		w.join(true, "e", 0)
		w.event("demo", 5, 4)
		w.event("demo", 6, 5)
		want(t, p, "join-plan   1")
		if e := next(t, p); e.Reason != client.ReloadGap || e.Position != (protocol.Position{Epoch: "e", Seq: 4}) {
			t.Errorf("item = %s at %v, want reload gap at 4", describe(e), e.Position)
		}
		want(t, p, "task 5", "task 6")
		w.silent()
	})
}

func TestPositionIsThatOfTheLastItemTaken(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		w.say(`{"type":"join-plan","planId":"demo","data":{"userId":"bob","userName":"Bob","participantCount":2}}`)
		w.say(`{"type":"receipt","planId":"demo","seq":2,"prev":1}`)
		synctest.Wait()
		if got := p.Position(); got != (protocol.Position{}) {
			t.Errorf("Position() before the first item = %v, want none", got)
		}
		for i, want := range []protocol.Position{{Epoch: "e"}, {Epoch: "e", Seq: 1}, {Epoch: "e", Seq: 1}, {Epoch: "e", Seq: 2}, {Epoch: "f", Seq: 7}} {
			if i == 1 {
				w.say(`{"type":"resync","planId":"demo","data":{"position":{"epoch":"f","seq":7},"reason":"host"}}`)
				synctest.Wait()
			}
			e := next(t, p)
			if e.Position != want || p.Position() != want {
				t.Errorf("after %s: Position %v and Position() %v, want %v", describe(e), e.Position, p.Position(), want)
			}
		}
		w.lose(net.ErrClosed)
		w = s.open()
		if req := w.join(true, "f", 7); req.Since == nil || *req.Since != p.Position() {
			t.Errorf("joined again since %v, want %v", req.Since, p.Position())
		}
	})
}

func TestSlowProgramIsToldToReload(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 4})
		slow, quick := w.enter(c, "slow"), w.enter(c, "quick")
		want(t, quick, "reload joined")
		for i := range uint64(9) {
			w.event("slow", i+1, i)
		}
		w.event("quick", 1, 0)
		want(t, quick, "task 1") // it waits for nobody

		// The queue held [joined 1 2 3], then [overflow 5 6 7], then [overflow 9].
		if e := next(t, slow); e.Reason != client.ReloadOverflow || e.Position.Seq != 8 {
			t.Errorf("first item = %s at %v, want reload overflow at 8", describe(e), e.Position)
		}
		want(t, slow, "task 9")
		w.event("slow", 10, 9)
		want(t, slow, "task 10")

		w.lose(net.ErrClosed) // what was dropped is not asked for again
		w = s.open()
		for range 2 {
			req := w.hear(protocol.TypeJoinPlan)
			w.joined(req.PlanID, true, "e", req.Since.Seq)
		}
		want(t, slow, "join-plan   1")
		want(t, quick, "join-plan   1")
	})
}

func TestQueueIsBoundedInBytes(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueBytes: 10_000})
		p := w.enter(c, "demo")
		for i := range uint64(3) {
			w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d,"text":%q},"seq":%d,"prev":%d}`, i+1, strings.Repeat("x", 4000), i+1, i)
		}
		w.event("demo", 4, 3)
		want(t, p, "reload overflow", "task 4")
	})
}

// People who come and go push no change out of the queue.
func TestPresenceGivesWay(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueEvents: 8})
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		for i := range 50 {
			w.say(`{"type":"presence-updated","planId":"demo","data":{"userId":"ann","state":%d}}`, i)
		}
		w.event("demo", 2, 1)
		synctest.Wait()
		var got []string
		for len(got) == 0 || got[len(got)-1] != "task 2" {
			got = append(got, describe(next(t, p)))
		}
		if len(got) > 8 || got[0] != "reload joined" || got[1] != "task 1" || got[len(got)-2] != "presence-updated ann 49 0" {
			t.Errorf("items %q, want the first and both tasks, and the newest of presence", got)
		}
	})
}

func TestRosterFollowsWhatIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		for _, tt := range []struct {
			say   string
			want  string
			count int
		}{
			{`{"type":"join-plan","planId":"demo","data":{"userId":"bob","userName":"Bob","participantCount":2}}`, "Ann Bob", 2},
			{`{"type":"join-plan","planId":"demo","data":{"userId":"bob","userName":"Bobby","participantCount":2}}`, "Ann Bobby", 2},
			{`{"type":"presence-updated","planId":"demo","data":{"userId":"bob","state":3}}`, "Ann Bobby=3", 2},
			{`{"type":"presence-updated","planId":"demo","data":{"userId":"eve","state":3}}`, "Ann Bobby=3", 2},
			{`{"type":"join-plan","planId":"demo","data":{"userId":"bob","userName":"Bob","participantCount":2}}`, "Ann Bob=3", 2},
			{`{"type":"join-plan","planId":"demo","data":{"participantCount":200}}`, "Ann", 200},
			{`{"type":"join-plan","planId":"demo","data":{"userId":"cid","userName":"Cid","participantCount":3}}`, "Ann Cid", 3},
			{`{"type":"leave-plan","planId":"demo","data":{"userId":"dan","participantCount":2}}`, "Ann Cid", 2},
			{`{"type":"leave-plan","planId":"demo","data":{"userId":"ann","participantCount":1}}`, "Cid", 1},
			{`{"type":"join-plan","planId":"demo","data":{"participantCount":150}}`, "", 150},
			{`{"type":"leave-plan","planId":"demo","data":"nonsense"}`, "", 150},
			{`{"type":"from-the-future","planId":"demo","data":{"participantCount":5}}`, "", 150},
		} {
			w.say("%s", tt.say)
			synctest.Wait()
			var names []string
			for _, who := range p.Participants() {
				name := who.UserName
				if who.State != nil {
					name += "=" + string(who.State)
				}
				names = append(names, name)
			}
			if got := strings.Join(names, " "); got != tt.want || p.ParticipantCount() != tt.count {
				t.Errorf("after %s: %q, %d, want %q, %d", tt.say, got, p.ParticipantCount(), tt.want, tt.count)
			}
		}
	})
}

// Whatever a server claims about people, the list stays bounded.
func TestRosterIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		long := strings.Repeat("x", 300_000)
		for i := range 5 {
			w.say(`{"type":"join-plan","planId":"demo","data":{"userId":"u%d","userName":%q,"participantCount":%d}}`, i, long, i+2)
		}
		w.lose(net.ErrClosed)
		w = s.open()
		w.hear(protocol.TypeJoinPlan)
		var list strings.Builder
		for i := range 5 {
			fmt.Fprintf(&list, `,{"userId":"v%d","userName":%q,"state":null}`, i, long)
		}
		synctest.Wait()
		if n := len(p.Participants()); n > 3 {
			t.Errorf("%d participants of 300 kB each are kept, want at most 3", n)
		}
		w.say(`{"type":"join-plan","planId":"demo","data":{"success":true,"participantCount":5,"participants":[%s],"position":{"epoch":"e","seq":0},"recovered":true}}`, list.String()[1:])
		synctest.Wait()
		if n := len(p.Participants()); n != 3 || p.ParticipantCount() != 5 {
			t.Errorf("%d participants of %d, want 3 of 5", n, p.ParticipantCount())
		}
	})
}

// A plan that is joined again right after it was left gets nothing of its former life.
func TestLeaveAndJoinAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		old := w.enter(c, "demo")
		old.Leave()
		if e, err := old.Next(t.Context()); !errors.Is(err, client.ErrLeft) {
			t.Errorf("Next after Leave = %s, %v, want %v", describe(e), err, client.ErrLeft)
		}
		w.hear(protocol.TypeLeavePlan)
		joined := make(chan *client.Plan)
		go func() {
			p, err := c.Join(t.Context(), "demo", nil)
			if err != nil {
				t.Errorf("Join: %v", err)
			}
			joined <- p
		}()
		synctest.Wait()
		w.event("demo", 1, 0)
		w.say(`{"type":"removed","planId":"demo","data":{"reason":"","retry":false}}`)
		w.say(`{"type":"leave-plan","planId":"demo","data":{"userId":"bob","participantCount":1}}`)
		w.silent()
		w.say(`{"type":"error","planId":"demo","data":{"code":"not_joined","re":"leave-plan"}}`)
		w.join(false, "e", 7)
		p := <-joined
		w.event("demo", 8, 7)
		want(t, p, "reload joined", "task 8")
		p.Leave()
		w.hear(protocol.TypeLeavePlan)
		w.say(`{"type":"leave-plan","planId":"demo","data":{"success":true}}`)
		w.enter(c, "demo")
	})
}

func TestLeaveBeforeTheJoinIsSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		w.lose(net.ErrClosed)
		w = <-s.dials
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Join(ctx, "demo", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("Join = %v, want %v", err, context.Canceled)
		}
		w.answer <- nil
		w.hello()
		w.silent() // neither join nor leave
	})
}

// Errors that would be the same again end a plan.
func TestJoinIsRefusedForGood(t *testing.T) {
	for code, want := range map[protocol.ErrorCode]error{
		protocol.ErrorForbidden:    client.ErrForbidden,
		protocol.ErrorTooManyRooms: client.ErrTooManyPlans,
		protocol.ErrorBadMessage:   nil,
		protocol.ErrorBadPlanID:    nil,
	} {
		t.Run(string(code), func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				c, w := s.start(nil)
				p := w.enter(c, "demo")
				w.event("demo", 1, 0)
				w.lose(net.ErrClosed)
				w = s.open()
				w.hear(protocol.TypeJoinPlan)
				w.say(`{"type":"error","planId":"demo","data":{"code":%q,"re":"join-plan"}}`, code)
				err := ended(t, p)
				if err == nil || want != nil && !errors.Is(err, want) {
					t.Errorf("stream ended with %v, want %v", err, want)
				}
				if _, err2 := p.Next(t.Context()); err2 != err {
					t.Errorf("Next after the end = %v, want %v", err2, err)
				}
			})
		})
	}
}

// What comes too late, too early, for nobody or in a wrong form changes nothing.
func TestNonsenseIsIgnored(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		want(t, p, "reload joined", "task 1")
		for _, b := range []string{
			``, `{`, `[]`, `{"type":7}`, "\xff",
			`{"type":"pong","data":{"connected":true,"userId":"eve"}}`,
			`{"type":"join-plan","planId":"demo","data":{"success":true,"position":{"epoch":"e","seq":99},"recovered":true}}`,
			`{"type":"join-plan","planId":"other","data":{"success":true,"position":{"epoch":"e","seq":99},"recovered":true}}`,
			`{"type":"resync","planId":"demo","data":{"position":{"epoch":"","seq":99}}}`,
			`{"type":"resync","planId":"demo","data":{"position":{"epoch":"e","seq":9007199254740992}}}`,
			`{"type":"resync","planId":"demo"}`,
			`{"type":"removed","planId":"demo","data":1}`,
			`{"type":"removed","planId":"other","data":{}}`,
			`{"type":"error","data":{"code":"forbidden","re":"join-plan"}}`,
			`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`,
			`{"type":"error","planId":"demo","data":{"code":"not_joined","re":"update-presence"}}`,
			`{"type":"error","planId":"demo","data":{"code":"not_joined","re":"leave-plan"}}`,
			`{"type":"error","data":{"code":"bad_token","re":"authenticate"}}`,
			`{"type":"error"}`,
			`{"type":"authenticate","data":{"success":true,"expiresAt":null}}`,
			`{"type":"goodbye","data":[]}`,
			`{"type":"leave-plan","planId":"demo","data":{"success":true}}`,
			`{"type":"task-updated","planId":"other","seq":2,"prev":1}`,
			`{"type":"task-updated","planId":"demo"}`,
			`{"type":"receipt","planId":"demo"}`,
			`{"type":"join-plan","seq":5}`,
		} {
			w.say("%s", b)
		}
		w.event("demo", 2, 1)
		var got []string
		for len(got) == 0 || got[len(got)-1] != "task 2" {
			got = append(got, describe(next(t, p)))
		}
		if d := cmp.Diff([]string{"task 2"}, got); d != "" {
			t.Errorf("items:\n%s", d)
		}
		if got := c.UserID(); got != "ann" {
			t.Errorf("UserID() = %q, want ann", got)
		}
		w.silent()
	})
}

// An answer that claims to go on from somewhere else is not gone on from.
func TestRecoveredFromElsewhere(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 1, 0)
		want(t, p, "reload joined", "task 1")
		w.lose(net.ErrClosed)
		w = s.open()
		w.join(true, "e", 5)
		w.event("demo", 6, 5)
		want(t, p, "reload not_recovered", "task 6")
	})
}

func TestNoticesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		for i := range 1000 {
			w.say(`{"type":"assigned","data":%d}`, i)
		}
		synctest.Wait()
		first, last, n := -1, -1, 0
		for last != 999 {
			m, err := c.NextNotice(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(string(m.Data), &last); err != nil {
				t.Fatal(err)
			}
			if first < 0 {
				first = last
			}
			if last != first+n {
				t.Fatalf("notice %d after %d", last, first+n-1)
			}
			n++
		}
		if n > 256 || n < 128 {
			t.Errorf("%d notices waited, want 128 to 256", n)
		}
	})
}

// Several goroutines may share a stream; none is forgotten.
func TestSeveralReaders(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		got := make(chan string)
		for range 4 {
			go func() {
				for e, err := range p.All(t.Context()) {
					if err != nil {
						got <- err.Error()
						return
					}
					got <- describe(e)
				}
			}()
		}
		<-got // joined
		for i := range uint64(8) {
			w.event("demo", i+1, i)
		}
		seen := make(map[string]bool)
		for range 8 {
			seen[<-got] = true
		}
		if len(seen) != 8 {
			t.Errorf("items %v, want 8", seen)
		}
		p.Leave()
		w.hear(protocol.TypeLeavePlan)
		for range 4 {
			if e := <-got; e != client.ErrLeft.Error() {
				t.Errorf("a reader ended with %q, want %q", e, client.ErrLeft)
			}
		}
	})
}

// What has been taken makes room.
func TestQueueCountsWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(&client.Options{QueueBytes: 10_000})
		p := w.enter(c, "demo")
		want(t, p, "reload joined")
		for i := range uint64(20) {
			w.say(`{"type":"task-updated","planId":"demo","data":{"task":%d,"text":%q},"seq":%d,"prev":%d}`, i+1, strings.Repeat("x", 4000), i+1, i)
			want(t, p, fmt.Sprint("task ", i+1))
		}
	})
}

// Two items that come at one moment wake two readers.
func TestNoReaderIsForgotten(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		w.event("demo", 5, 4)
		w.join(true, "e", 0)
		want(t, p, "reload joined", "join-plan   1")
		got := make(chan string, 2)
		for range 2 {
			go func() { got <- describe(next(t, p)) }()
		}
		synctest.Wait()
		w.event("demo", 5, 4) // a reload and a task
		if items := <-got + <-got; items != "reload gaptask 5" && items != "task 5reload gap" {
			t.Errorf("items %q, want a reload and a task", items)
		}
	})
}
