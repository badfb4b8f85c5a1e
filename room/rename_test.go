package room_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// A user has the name of the token that was verified last, by authenticate or by a new connection.
// The others receive the name, and the state stays.
func TestRename(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		name := "Alice"
		verifier := auth.VerifierFunc(func(context.Context, string) (auth.Identity, error) {
			return auth.Identity{UserID: "alice", Name: name}, nil
		})
		connect := func() *roomtest.Member {
			m := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: name}, &roomtest.Options{Verifier: verifier})
			m.Join("p", nil)
			return m
		}
		bob := roomtest.Join(t, h, "bob", "p")
		first := connect()
		first.Request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "p", State: json.RawMessage(`1`)})
		synctest.Wait()
		unread(t, bob)

		listed := func() string {
			info, _ := h.Room("p")
			return info.People[1].UserName
		}
		name = "Alice B."
		first.Request(protocol.Request{Type: protocol.TypeAuthenticate, Token: "t"})
		synctest.Wait()
		wantReceived(t, bob,
			`join-plan p {"userId":"alice","userName":"Alice B.","participantCount":2}`,
			`presence-updated p {"userId":"alice","state":1}`)
		if got := listed(); got != "Alice B." {
			t.Errorf("after authenticate the name is %q", got)
		}

		name = "Alice C."
		second := connect()
		if got := second.Joined.Participants[1].UserName; got != "Alice C." {
			t.Errorf("the join answer of the new connection has the name %q", got)
		}
		wantReceived(t, bob,
			`join-plan p {"userId":"alice","userName":"Alice C.","participantCount":2}`,
			`presence-updated p {"userId":"alice","state":1}`)

		connect() // with the same name
		wantReceived(t, bob)
	})
}

// In a crowded room a new name appears only in later join answers.
func TestRenameInACrowd(t *testing.T) {
	bubble(t, &room.Options{PresenceLimit: 1}, func(t *testing.T, h *room.Hub) {
		bob := roomtest.Join(t, h, "bob", "p")
		roomtest.Join(t, h, "alice", "p")
		unread(t, bob)
		m := roomtest.Connect(t, h, auth.Identity{UserID: "alice", Name: "Alice B."}, nil)
		m.Join("p", nil)
		wantReceived(t, bob)
		if info, _ := h.Room("p"); info.People[1].UserName != "Alice B." {
			t.Errorf("the name is %q", info.People[1].UserName)
		}
	})
}
