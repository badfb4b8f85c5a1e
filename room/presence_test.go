package room_test

import (
	"fmt"
	"testing"

	"github.com/planrooms/planrooms/room"
)

func joined(plan, user string, count int) string {
	return fmt.Sprintf(`join-plan %s {"userId":%q,"userName":%[2]q,"participantCount":%d}`, plan, user, count)
}

func left(plan, user string, count int) string {
	return fmt.Sprintf(`leave-plan %s {"userId":%q,"participantCount":%d}`, plan, user, count)
}

// A user with several connections is one participant: the second one causes no notice.
func TestSecondConnection(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob := of.join(t, h, "bob", "p")
		tab1 := of.join(t, h, "alice", "p")
		wantReceived(t, bob, joined("p", "alice", 2))
		tab2 := of.join(t, h, "alice", "p")
		if tab2.Joined.ParticipantCount != 2 || tab2.Joined.Participants[1].Connections != 2 {
			t.Errorf("join answer %+v, want 2 people, alice with 2 connections", tab2.Joined)
		}
		if n := h.UserConnections("alice"); n != 2 {
			t.Errorf("UserConnections = %d, want 2", n)
		}
		tab1.Send(`{"type":"leave-plan","planId":"p"}`)
		wantReceived(t, tab1, `leave-plan p {"success":true}`)
		wantReceived(t, tab2)
		wantReceived(t, bob)
		update(t, h, "p", 1)
		wantEvent(t, tab2, 1)
		wantEvent(t, bob, 1)
		wantReceived(t, tab1)
		tab2.Send(`{"type":"leave-plan","planId":"p"}`)
		wantReceived(t, tab2, `leave-plan p {"success":true}`)
		wantReceived(t, bob, left("p", "alice", 1))
	})
}

func TestPresenceKeepsTheOrderOfEvents(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		bob, carol := of.join(t, h, "bob", "p"), of.join(t, h, "carol", "p")
		unread(t, bob)
		var want []string
		for n := range 10 {
			update(t, h, "p", n)
			user := fmt.Sprint("user", n)
			m := of.join(t, h, user, "p")
			setState(m, "p", fmt.Sprint(n))
			want = append(want, fmt.Sprintf(`task-updated p {"task":{"id":%d}}`, n), joined("p", user, 3+n), shows("p", user, fmt.Sprint(n)))
		}
		wantReceived(t, bob, want...)
		wantReceived(t, carol, want...)
	})
}
