package main

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// The browser client of the earlier service does not know client IDs, positions or goodbyes.
func TestOriginalClient(t *testing.T) {
	s := start(t)
	v, status := s.dial(url.Values{"token": {s.login("carol")}})
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: status %d", status)
	}
	v.next(protocol.TypePong)
	v.sendText(`{"type":"join-plan","planId":"demo"}`)
	answer := transporttest.DataOf[protocol.JoinAnswer](t, v.next(protocol.TypeJoinPlan))
	if !answer.Success || answer.ParticipantCount != 1 || answer.Recovered {
		t.Errorf("join answer %+v", answer)
	}
	v.sendText(`{"type":"ping"}`)
	v.next(protocol.TypePong)
	var created task
	s.must(http.StatusCreated, &created, "POST", "/api/plans/demo/tasks", s.login("alice"), `{"title":"x"}`)
	if diff := cmp.Diff(created, taskOf(t, v.next(protocol.TypeTaskCreated))); diff != "" {
		t.Errorf("task (-answer +event):\n%s", diff)
	}
	v.next(protocol.TypeProgressUpdated)
	v.sendText(`{"type":"leave-plan","planId":"demo"}`)
	if m := v.next(protocol.TypeLeavePlan); string(m.Data) != `{"success":true}` {
		t.Errorf("leave answer %s", m.Data)
	}
}

func TestRefusedBrowserGetsTheReason(t *testing.T) {
	s := start(t)
	v, status := s.dial(url.Values{"token": {"nonsense"}}, "Origin", s.url)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("handshake: status %d", status)
	}
	goodbye, code := v.WantClose()
	if code != protocol.CloseUnauthorized || goodbye.Code != code || !goodbye.Reauth {
		t.Errorf("closed with %d after %+v", code, goodbye)
	}
	token := url.Values{"token": {s.login("alice")}}
	if _, status := s.dial(token, "Origin", "https://elsewhere.example"); status != http.StatusForbidden {
		t.Errorf("page of another origin: status %d, want 403", status)
	}
}

func TestTokenRunsOut(t *testing.T) {
	t.Parallel() // it waits until the token expires
	s := start(t)
	token := s.loginFor("alice", "3s")
	v, _ := s.join(token, "tab")
	renewed, _ := s.join(s.loginFor("bob", "3s"), "tab")
	renewed.Request(protocol.Request{Type: protocol.TypeAuthenticate, Token: s.login("bob")})
	renewed.next(protocol.TypeAuthenticate)
	goodbye, code := v.WantClose()
	if code != protocol.CloseUnauthorized || !goodbye.Reauth || !goodbye.Reconnect {
		t.Errorf("closed with %d after %+v", code, goodbye)
	}
	resp := s.do("GET", "/api/plans/demo", token, "")
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("GET with the token: status %d", resp.StatusCode)
	}
	renewed.sendText(`{"type":"ping"}`)
	if m := renewed.next(protocol.TypePong); m.Data != nil {
		t.Errorf("pong with %s", m.Data)
	}
}

func TestRooms(t *testing.T) {
	s := start(t)
	_, answer := s.join(s.login("alice"), "tab")
	var view struct {
		Rooms []struct{ PlanID string }
		Room  struct {
			Position protocol.Position
			People   []struct{ UserID, UserName string }
		}
	}
	s.must(http.StatusOK, &view, "GET", "/api/rooms?plan=demo", "", "")
	if len(view.Rooms) != 1 || view.Rooms[0].PlanID != "demo" || view.Room.Position != answer.Position ||
		len(view.Room.People) != 1 || view.Room.People[0].UserName != "Alice" {
		t.Errorf("rooms %+v", view)
	}
}

// The operators' page is for requests from this machine.
func TestRoomsAreShownOnThisMachineOnly(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true, "192.0.2.1:80": false, "[2001:db8::1]:80": false, "": false,
	} {
		if got := local(&http.Request{RemoteAddr: addr}); got != want {
			t.Errorf("local(%q) = %t", addr, got)
		}
	}
}
