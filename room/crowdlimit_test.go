package room_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A user who comes and goes at PresenceLimit twice a second does not make the hub send the list of
// all participants again and again: a room is crowded until it has not exceeded the limit for a
// while.
func TestTogglingAtThePresenceLimit(t *testing.T) {
	const people = 100
	seconds := 120
	if raceEnabled {
		seconds = 40
	}
	tests := []struct {
		name  string
		away  time.Duration // between a leave and the next join
		lists int           // that a member may receive
		bytes int           // that a member may receive in a second
	}{
		{name: "twice a second", away: 300 * time.Millisecond, lists: 0, bytes: 150},
		{name: "as slowly as lists need", away: room.CrowdedFor + time.Second, lists: seconds / 10, bytes: 2500},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, &room.Options{PresenceLimit: people, PingEvery: -1}, func(t *testing.T, h *room.Hub) {
				for n := range people - 1 {
					roomtest.Join(t, h, fmt.Sprint("user", n), "p")
				}
				p := openPipe(t, h, "reader", -1)
				p.send(`{"type":"join-plan","planId":"p"}`)
				gathered()
				one := connect(t, h, "one", "")
				one.Join("p", nil)
				time.Sleep(20 * time.Second) // the room has been crowded for a while
				p.read()

				var lists, bytes int
				for start := time.Now(); time.Since(start) < time.Duration(seconds)*time.Second; {
					one.Send(`{"type":"leave-plan","planId":"p"}`)
					time.Sleep(test.away)
					one.Join("p", nil)
					time.Sleep(500 * time.Millisecond)
					p.session.Seen()
					stream := p.read()
					bytes += len(stream)
					lists += countNotices(t, stream, "user0")
				}
				if lists > test.lists {
					t.Errorf("%d lists of the participants in %d s, want at most %d", lists, seconds, test.lists)
				}
				t.Logf("%d lists, %d bytes a second for each member", lists, bytes/seconds)
				if bytes/seconds > test.bytes {
					t.Errorf("%d bytes a second for each member, want at most %d", bytes/seconds, test.bytes)
				}
			})
		})
	}
}

// decodeLines decodes a stream of lines.
func decodeLines(t *testing.T, stream string) (all []protocol.Message) {
	t.Helper()
	for line := range strings.Lines(stream) {
		if line == "(ping)\n" {
			continue
		}
		msg, err := protocol.Decode([]byte(line))
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, msg)
	}
	return all
}

// countNotices counts the joins of a user in a stream of lines.
func countNotices(t *testing.T, stream, user string) (n int) {
	t.Helper()
	for _, msg := range decodeLines(t, stream) {
		if msg.Type == protocol.TypeJoinPlan && string(msg.Data) != "" {
			var joined protocol.Joined
			if mustDecode(t, msg, &joined); joined.UserID == user {
				n++
			}
		}
	}
	return n
}

// When a crowd thins, all members receive a list of all participants. It closes no connection whose
// socket is full for a moment, however high PresenceLimit is.
func TestThinningCrowdClosesNobody(t *testing.T) {
	const limit = 600
	bubble(t, &room.Options{PresenceLimit: limit}, func(t *testing.T, h *room.Hub) {
		users := make([]*discard, limit+9)
		for n := range users {
			users[n] = benchConnect(t, h, fmt.Sprint("user", n))
			users[n].session.Receive([]byte(`{"type":"join-plan","planId":"p"}`))
			users[n].session.Receive([]byte(`{"type":"update-presence","planId":"p","data":{"state":1}}`))
		}
		slow := openPipe(t, h, "slow", -1)
		slow.send(`{"type":"join-plan","planId":"p"}`)
		time.Sleep(2 * time.Second)
		if got := h.Stats().TooSlow; got != 0 {
			t.Fatalf("TooSlow = %d before the crowd thins", got)
		}
		slow.read()
		for _, m := range users[limit-1:] {
			m.session.Receive([]byte(`{"type":"leave-plan","planId":"p"}`))
		}
		time.Sleep(room.CrowdedFor - 100*time.Millisecond)
		slow.open(0)
		update(t, h, "p", 1)
		time.Sleep(1100 * time.Millisecond) // in which the list is sent
		slow.open(-1)
		synctest.Wait()
		if _, closed := slow.state(); closed || h.Stats().TooSlow != 0 {
			t.Fatalf("closed %v, TooSlow = %d: a socket was full for 1.1 s", closed, h.Stats().TooSlow)
		}
		people, states := 0, 0
		for _, msg := range decodeLines(t, slow.read()) {
			switch {
			case msg.Type == protocol.TypePresenceUpdated:
				states++
			case msg.Type == protocol.TypeJoinPlan:
				var joined protocol.Joined
				if mustDecode(t, msg, &joined); joined.UserID != "" {
					people++
				}
			}
		}
		if people != limit-1 || states != limit-1 {
			t.Errorf("received %d participants and %d states, want %d of each", people, states, limit-1)
		}
	})
}

// A member of a crowded room learns the count also if it was the same before the member joined, and
// another one while it joined.
func TestCountAfterAJoinAnswer(t *testing.T) {
	bubble(t, &room.Options{PresenceLimit: 3}, func(t *testing.T, h *room.Hub) {
		members := make([]*roomtest.Member, 5)
		for n := range members {
			members[n] = roomtest.Join(t, h, fmt.Sprint("user", n), "p")
		}
		time.Sleep(2 * time.Second)
		m := roomtest.Join(t, h, "user5", "p")
		if m.Joined.ParticipantCount != 6 {
			t.Fatalf("the join answer counts %d users, want 6", m.Joined.ParticipantCount)
		}
		members[4].Send(`{"type":"leave-plan","planId":"p"}`)
		time.Sleep(2 * time.Second)
		wantHeard(t, m, `join-plan p {"participantCount":5}`)
	})
}
