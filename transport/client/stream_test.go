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
		w.event("demo", 2, 1) // a duplicate
		w.event("demo", 1, 0)
		w.event("demo", 5, 4) // 4 is missing
		w.event("demo", 6, 5) // is replayed after the answer
		req := w.expect(protocol.TypeJoinPlan)
		if want := (protocol.Position{Epoch: "e", Seq: 2}); req.Since == nil || *req.Since != want {
			t.Errorf("joined again since %v, want %v", req.Since, want)
		}
		// Of the position before.
		w.say(`{"type":"resync","planId":"demo","data":{"position":{"epoch":"e","seq":9},"reason":"late"}}`)
		w.joined("demo", true, "e", 2)
		w.event("demo", 4, 2)
		w.event("demo", 5, 4)
		want(t, p, "reload joined", "task 1", "task 2", "join-plan   1", "task 4", "task 5")
		w.silent()
	})
}

// The client ignores an answer to a join that it has not sent.
func TestAnswerBeforeTheRequest(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		p := w.enter(c, "demo")
		if err := p.SetPresence(1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.event("demo", 9, 8) // the join waits until the test has read the state
		w.joined("demo", true, "e", 0)
		w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
		synctest.Wait()
		w.expect(protocol.TypeUpdatePresence)
		w.join(true, "e", 0)
		w.expect(protocol.TypeUpdatePresence)
		w.event("demo", 1, 0)
		want(t, p, "reload joined", "join-plan   1", "task 1")
	})
}

// A gap that another join does not fill becomes a Reload. The client does not join for ever.
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

func TestRosterFollowsNotices(t *testing.T) {
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

// The list of participants is bounded, whatever the server sends.
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
		w.expect(protocol.TypeJoinPlan)
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

// A plan that is joined again right after Leave receives no messages of the earlier membership.
func TestLeaveAndJoinAgain(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		old := w.enter(c, "demo")
		old.Leave()
		if e, err := old.Next(t.Context()); !errors.Is(err, client.ErrLeft) {
			t.Errorf("Next after Leave = %s, %v, want %v", describe(e), err, client.ErrLeft)
		}
		w.expect(protocol.TypeLeavePlan)
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
		w.expect(protocol.TypeLeavePlan)
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
		w.silent() // neither a join nor a leave
	})
}

// A permanent error ends a plan.
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
				w.expect(protocol.TypeJoinPlan)
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

// The client ignores messages that are late, early, malformed, or for an unknown plan.
func TestMalformedMessagesAreIgnored(t *testing.T) {
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

// A join answer with recovered and another position than the client's leads to a Reload.
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
