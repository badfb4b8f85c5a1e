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

// A user who joins and leaves twice a second at PresenceLimit does not make the hub send the list
// of all participants each time: a room stays crowded until it has not exceeded the limit for a
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

// When a crowd shrinks, all members receive a list of all participants. It closes no connection
// whose socket is full for a moment, however high PresenceLimit is.
func TestShrinkingCrowdClosesNoConnection(t *testing.T) {
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
			t.Fatalf("TooSlow = %d before the crowd shrinks", got)
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

// A member of a crowded room receives the count even if it changed during the join and is now the
// same as before.
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
		wantReceived(t, m, `join-plan p {"participantCount":5}`)
	})
}

// Above PresenceLimit the hub sends only counts, at most one a second. When the room is not crowded
// any more, it sends a notice for each user.
func TestCrowdedRoom(t *testing.T) {
	bubble(t, &room.Options{PresenceLimit: 3}, func(t *testing.T, h *room.Hub) {
		count := func(n int) string { return fmt.Sprintf(`join-plan p {"participantCount":%d}`, n) }
		m := make([]*roomtest.Member, 10)
		for i := range 3 {
			m[i] = roomtest.Join(t, h, fmt.Sprint("user", i), "p")
		}
		wantReceived(t, m[0], joined("p", "user1", 2), joined("p", "user2", 3))
		setState(m[1], "p", `1`)
		wantReceived(t, m[0], shows("p", "user1", "1"))

		for i := 3; i < 8; i++ {
			m[i] = roomtest.Join(t, h, fmt.Sprint("user", i), "p")
			if got := m[i].Joined; got.ParticipantCount != i+1 || len(got.Participants) != 3 {
				t.Errorf("join answer of user %d: %+v, want the first 3 people and the true count", i, got)
			} else if got.Participants[2].UserID != fmt.Sprint("user", i) {
				t.Errorf("join answer of user %d lacks the joiner: %+v", i, got.Participants)
			}
		}
		setState(m[1], "p", `2`)
		time.Sleep(time.Second - 1)
		wantNow(t, m[0])
		time.Sleep(time.Nanosecond)
		wantReceived(t, m[0], count(8))
		wantReceived(t, m[7], count(8)) // the count is for all members
		time.Sleep(time.Minute)
		wantReceived(t, m[0]) // nothing has changed

		// One change every 100 ms for ten seconds: at most one count a second.
		more := make([]*roomtest.Member, 100)
		for i := range more {
			more[i] = roomtest.Join(t, h, fmt.Sprint("more", i), "p")
			time.Sleep(100 * time.Millisecond)
		}
		for _, m := range more {
			m.Send(`{"type":"leave-plan","planId":"p"}`)
		}
		time.Sleep(time.Second)
		got := receivedBy(t, m[0])
		if len(got) < 9 || len(got) > 12 || got[len(got)-1] != count(8) {
			t.Errorf("received %d counts in 11 s: %q, want one a second, the last of them 8", len(got), got)
		}

		for i := 7; i >= 3; i-- {
			m[i].Send(`{"type":"leave-plan","planId":"p"}`)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		wantNow(t, m[0], count(3))
		// The room has been within the limit for 9.9 s.
		time.Sleep(8*time.Second + 900*time.Millisecond)
		wantNow(t, m[0])
		time.Sleep(100 * time.Millisecond)
		wantReceived(t, m[0], count(3), joined("p", "user1", 3), shows("p", "user1", "2"), joined("p", "user2", 3))
		m[2].Send(`{"type":"leave-plan","planId":"p"}`)
		wantReceived(t, m[0], left("p", "user2", 2))
	})
}
