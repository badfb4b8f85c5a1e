package client_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/client"
)

// changesOfUser has the ways in which a client comes to a connection of another user. Each returns
// that connection before its hello.
var changesOfUser = map[string]func(t *testing.T, s *script, c *client.Client, w *wire) *wire{
	"Renew": func(t *testing.T, s *script, c *client.Client, w *wire) *wire {
		done := renew(t.Context(), c)
		w.expect(protocol.TypeAuthenticate)
		w.say(`{"type":"error","data":{"code":"bad_token","re":"authenticate"}}`)
		t.Cleanup(func() {
			if err := <-done; err != nil {
				t.Errorf("Renew = %v", err)
			}
		})
		w = <-s.dials
		w.answer <- nil
		return w
	},
	"Reconnect": func(t *testing.T, s *script, c *client.Client, _ *wire) *wire {
		reconnect(t, c)
		w := <-s.dials
		w.answer <- nil
		return w
	},
}

// What a client knows as one user does not reach the next one.
func TestAnotherUserStartsOver(t *testing.T) {
	for name, change := range changesOfUser {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				c, w := s.start(&client.Options{Token: src.get})
				p := w.enter(c, "demo")
				w.versioned(1, "a", 7)
				want(t, p, "reload joined", "task 1")
				if err := p.SetPresence("editing"); err != nil {
					t.Fatal(err)
				}
				w.expect(protocol.TypeUpdatePresence)
				w.event("demo", 2, 1) // the program does not take this one, nor the notice
				w.say(`{"type":"assigned","data":1}`)
				synctest.Wait()

				w = change(t, s, c, w)
				w.helloTo("bob")
				req := w.expect(protocol.TypeJoinPlan)
				if req.Since != nil {
					t.Errorf("joined since %v, want no position", req.Since)
				}
				if got := p.Position(); got != (protocol.Position{}) {
					t.Errorf("Position() = %v before the join, want none", got)
				}
				if people, count := p.Participants(), p.ParticipantCount(); len(people) > 0 || count > 0 {
					t.Errorf("%d participants before the join: %v", count, people)
				}
				w.joined("demo", true, "e", 2) // even if the server reports it as recovered
				w.silent()                     // no presence state
				w.versioned(3, "a", 1)
				want(t, p, "reload joined", "task 3")
				w.say(`{"type":"assigned","data":2}`)
				if m, err := c.NextNotice(t.Context()); err != nil || string(m.Data) != "2" {
					t.Errorf("NextNotice = %s, %v, want the second user's", m.Data, err)
				}
				if err := p.SetPresence("editing"); err != nil {
					t.Fatal(err)
				}
				w.expect(protocol.TypeUpdatePresence)
			})
		})
	}
}

// A plan that another user may not see ends, without the first user's items.
func TestAnotherUserIsDenied(t *testing.T) {
	for name, change := range changesOfUser {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				src := &source{}
				c, w := s.start(&client.Options{Token: src.get})
				p := w.enter(c, "demo")
				w.event("demo", 1, 0)
				synctest.Wait()
				w = change(t, s, c, w)
				w.helloTo("bob")
				w.expect(protocol.TypeJoinPlan)
				w.say(`{"type":"error","planId":"demo","data":{"code":"forbidden","re":"join-plan"}}`)
				if e, err := p.Next(t.Context()); !errors.Is(err, client.ErrForbidden) {
					t.Errorf("Next = %s, %v, want %v", describe(e), err, client.ErrForbidden)
				}
			})
		})
	}
}

// A Since that the program passes for a plan that is not joined yet belongs to the user at that
// time.
func TestAnotherUserDuringAJoin(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		c, w := s.start(nil)
		joined := make(chan *client.Plan)
		go func() {
			p, err := c.Join(t.Context(), "demo", &client.JoinOptions{Since: protocol.Position{Epoch: "e", Seq: 4}})
			if err != nil {
				t.Errorf("Join: %v", err)
			}
			joined <- p
		}()
		w.expect(protocol.TypeJoinPlan)
		reconnect(t, c)
		w = <-s.dials
		w.answer <- nil
		w.helloTo("bob")
		if req := w.join(false, "e", 5); req.Since != nil {
			t.Errorf("joined since %v, want no position", req.Since)
		}
		want(t, <-joined, "reload joined")
	})
}

// On a real server: other participants do not see the state of the first user under the second
// one's name.
func TestAnotherUserOnAServer(t *testing.T) {
	s := newServer(t, config{})
	watch := join(t, s.dial("eve"), "demo")
	want(t, watch, "reload joined")
	user := make(chan string, 1)
	user <- "ann"
	c := s.dialWith(client.Options{Token: func(context.Context, client.TokenReason) (client.Token, error) {
		return client.Token{Value: tokenOf(<-user)}, nil
	}})
	p := join(t, c, "demo")
	want(t, p, "reload joined")
	if err := p.SetPresence("here"); err != nil {
		t.Fatal(err)
	}
	want(t, watch, "join-plan ann  2", `presence-updated ann "here" 0`)
	s.broadcast("demo", 1, 1)
	want(t, p, "task 1")
	want(t, watch, "task 1")
	user <- "bob"
	if err := c.Renew(t.Context()); err != nil {
		t.Fatalf("Renew: %v", err)
	}
	want(t, p, "reload joined")
	if err := p.SetPresence("there"); err != nil {
		t.Fatal(err)
	}
	for {
		got := describe(next(t, watch))
		if got == `presence-updated bob "there" 0` {
			break
		}
		if got == `presence-updated bob "here" 0` {
			t.Fatal("the state of ann was sent for bob")
		}
	}
}
