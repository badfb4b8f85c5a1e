package room_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestHello(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "tab1")
		got := m.Hello
		if got.Timestamp.IsZero() || got.ConnectionID == "" || got.ConnectionID != m.Session().ID() {
			t.Errorf("hello %+v lacks its time or connection id", got)
		}
		got.Timestamp, got.ConnectionID = protocol.Timestamp{}, ""
		want := protocol.Hello{UserID: "alice", Connected: true, ClientID: "tab1", Protocol: 1}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("hello (-want +got):\n%s", diff)
		}
		if m := connect(t, h, "alice", ""); m.Hello.ClientID != m.Hello.ConnectionID {
			t.Errorf("without a client id: hello %+v, want the connection id", m.Hello)
		}
	})
}

func TestAnswers(t *testing.T) {
	long := strings.Repeat("x", 129)
	tests := []struct {
		name   string
		joined bool // in p when the message arrives
		send   string
		want   []string // type and data; the data of an error is code and re
		plan   string
	}{
		{name: "ping", send: `{"type":"ping"}`, want: []string{"pong "}},
		{name: "ping with unknown fields", send: `{"type":"ping","planId":7,"data":[],"x":{}}`, want: []string{"pong "}},
		{name: "no JSON", send: `{"type":`, want: []string{"error bad_message "}},
		{name: "empty", send: ``, want: []string{"error bad_message "}},
		{name: "not an object", send: `["ping"]`, want: []string{"error bad_message "}},
		{name: "trailing data", send: `{"type":"ping"}{}`, want: []string{"error bad_message "}},
		{name: "duplicate key", send: `{"type":"ping","type":"ping"}`, want: []string{"error bad_message "}},
		{name: "invalid UTF-8", send: "{\"type\":\"ping\",\"x\":\"\xff\"}", want: []string{"error bad_message "}},
		{name: "too deep", send: `{"type":"ping","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, want: []string{"error bad_message "}},
		{name: "no type", send: `{"planId":"p"}`, want: []string{"error bad_message "}},
		{name: "type is a number", send: `{"type":1}`, want: []string{"error bad_message "}},
		{name: "key in capitals", send: `{"TYPE":"ping"}`, want: []string{"error bad_message "}},
		{name: "unknown type", send: `{"type":"fly","planId":"p"}`, want: []string{"error unknown_type fly"}, plan: "p"},
		{name: "a type of the server's", send: `{"type":"task-updated","planId":"p"}`, want: []string{"error unknown_type task-updated"}, plan: "p"},
		{name: "long unknown type", send: `{"type":"` + long + `"}`, want: []string{"error unknown_type " + long[:64]}},

		{name: "join without a plan", send: `{"type":"join-plan"}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with a number", send: `{"type":"join-plan","planId":1}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with an empty plan", send: `{"type":"join-plan","planId":""}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with NUL", send: `{"type":"join-plan","planId":"\u0000"}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with C1", send: `{"type":"join-plan","planId":"\u0085"}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with 129 bytes", send: `{"type":"join-plan","planId":"` + long + `"}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with a plan in data", send: `{"type":"join-plan","data":{"planId":"p"}}`, want: []string{"error bad_plan_id join-plan"}},
		{name: "join with since no object", send: `{"type":"join-plan","planId":"p","since":3}`, want: []string{"error bad_message join-plan"}, plan: "p"},
		{name: "join with since without epoch", send: `{"type":"join-plan","planId":"p","since":{"seq":1}}`, want: []string{"error bad_message join-plan"}, plan: "p"},
		{name: "join with a negative seq", send: `{"type":"join-plan","planId":"p","since":{"epoch":"e","seq":-1}}`, want: []string{"error bad_message join-plan"}, plan: "p"},
		{name: "join with a seq of 2^53", send: `{"type":"join-plan","planId":"p","since":{"epoch":"e","seq":9007199254740992}}`, want: []string{"error bad_message join-plan"}, plan: "p"},

		{name: "leave", joined: true, send: `{"type":"leave-plan","planId":"p"}`, want: []string{`leave-plan {"success":true}`}, plan: "p"},
		{name: "leave, not joined", send: `{"type":"leave-plan","planId":"p"}`, want: []string{"error not_joined leave-plan"}, plan: "p"},
		{name: "leave another", joined: true, send: `{"type":"leave-plan","planId":"P"}`, want: []string{"error not_joined leave-plan"}, plan: "P"},
		{name: "leave without a plan", joined: true, send: `{"type":"leave-plan"}`, want: []string{"error bad_plan_id leave-plan"}},

		{name: "presence", joined: true, send: `{"type":"update-presence","planId":"p","data":{"state":{"x":1}}}`},
		{name: "presence, cleared", joined: true, send: `{"type":"update-presence","planId":"p","data":{"state":null}}`},
		{name: "presence, not joined", send: `{"type":"update-presence","planId":"p","data":{"state":1}}`, want: []string{"error not_joined update-presence"}, plan: "p"},
		{name: "presence without state", joined: true, send: `{"type":"update-presence","planId":"p","data":{}}`, want: []string{"error bad_state update-presence"}, plan: "p"},
		{name: "presence without data", joined: true, send: `{"type":"update-presence","planId":"p"}`, want: []string{"error bad_state update-presence"}, plan: "p"},
		{name: "presence of 1,024 bytes", joined: true, send: `{"type":"update-presence","planId":"p","data":{"state":"` + strings.Repeat("x", 1022) + `"}}`},
		{name: "presence of 1,025 bytes", joined: true, send: `{"type":"update-presence","planId":"p","data":{"state":"` + strings.Repeat("x", 1023) + `"}}`, want: []string{"error bad_state update-presence"}, plan: "p"},
		{name: "presence without a plan", joined: true, send: `{"type":"update-presence","data":{"state":1}}`, want: []string{"error bad_plan_id update-presence"}},

		{name: "authenticate without a token", send: `{"type":"authenticate"}`, want: []string{"error bad_token authenticate"}},
		{name: "authenticate with a number", send: `{"type":"authenticate","data":{"token":1}}`, want: []string{"error bad_token authenticate"}},
		{name: "authenticate with 8,193 bytes", send: `{"type":"authenticate","data":{"token":"` + strings.Repeat("x", 8193) + `"}}`, want: []string{"error bad_token authenticate"}},
		{name: "authenticate without a verifier", send: `{"type":"authenticate","data":{"token":"t"}}`, want: []string{"error bad_token authenticate"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				m := connect(t, h, "alice", "")
				if test.joined {
					m.Join("p", nil)
				}
				m.Send(test.send)
				synctest.Wait()
				// The pong after it also shows that the connection is still open.
				m.Send(`{"type":"ping"}`)
				var got []string
				for range len(test.want) {
					msg := m.NextMessage()
					text := string(msg.Type) + " " + string(msg.Data)
					if msg.Type == protocol.TypeError {
						var data protocol.Error
						mustDecode(t, msg, &data)
						text = fmt.Sprintf("error %s %s", data.Code, data.Re)
						if data.Message == "" {
							t.Errorf("the error %s has no text", data.Code)
						}
					}
					if msg.PlanID != test.plan {
						t.Errorf("got plan %q, want %q", msg.PlanID, test.plan)
					}
					if msg.Timestamp.IsZero() {
						t.Errorf("%s has no timestamp", text)
					}
					got = append(got, text)
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("Send(%.80q) (-want +got):\n%s", test.send, diff)
				}
				if msg := m.NextMessage(); msg.Type != protocol.TypePong {
					t.Errorf("got an unexpected %s", words(msg))
				}
				wantRooms := 0
				if test.joined {
					wantRooms = 1
				}
				if got := h.Stats().Rooms; got != wantRooms {
					t.Errorf("%d rooms, want %d: a refused message makes none", got, wantRooms)
				}
			})
		})
	}
}

func TestJoinAnswer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		long := strings.Repeat("é", 64) // 128 bytes
		m := connect(t, h, "alice", "")
		update(t, h, long, 1)
		m.Join(long, nil)
		position, err := h.Position(t.Context(), long)
		if err != nil {
			t.Fatalf("Position: %v", err)
		}
		want := protocol.JoinAnswer{
			Success: true, ParticipantCount: 1, Position: position,
			Participants: []protocol.Participant{{UserID: "alice", UserName: "alice", Connections: 1}},
		}
		if diff := cmp.Diff(want, m.Joined); diff != "" {
			t.Errorf("join answer (-want +got):\n%s", diff)
		}
		// The user comes only from the token.
		m.Send(`{"type":"join-plan","planId":"q","userId":"mallory","userName":"Mallory","data":{"userId":"mallory"}}`)
		m.NextMessage()
		if info, _ := h.Room("q"); len(info.People) != 1 || info.People[0].UserID != "alice" || info.People[0].UserName != "alice" {
			t.Errorf("people = %+v, want alice", info.People)
		}
	})
}

// IDs are compared byte by byte: a similar ID is another plan.
func TestPlansDoNotMix(t *testing.T) {
	plans := []string{"plan", "Plan", "plan ", " plan", "plan/", "é", "e\u0301", "plan.a", "plan.*", "plan\u2028"}
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		members := make([]*roomtest.Member, len(plans))
		for i, plan := range plans {
			members[i] = of.join(t, h, fmt.Sprint("user", i), plan)
		}
		for i, plan := range plans {
			update(t, h, plan, i)
		}
		for i, m := range members {
			if got := unread(t, m); len(got) != 1 || got[0].PlanID != plans[i] || words(got[0]) != fmt.Sprintf(`task-updated %s {"task":{"id":%d}}`, plans[i], i) {
				t.Errorf("the member of %q got %v", plans[i], got)
			}
		}
	})
}

func TestNoEventAfterLeave(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		alice := of.connect(t, h, "alice", roomtest.Options{})
		alice.Join("p", nil)
		alice.Join("q", nil)
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		alice.Send(`{"type":"leave-plan","planId":"p"}`)
		alice.NextMessage()
		wantError(t, alice, "p", protocol.TypeLeavePlan, protocol.ErrorNotJoined)
		update(t, h, "p", 1)
		update(t, h, "q", 2)
		wantReceived(t, alice, `task-updated q {"task":{"id":2}}`)
	})
}

// The messages of one plan are handled in order, whatever they are and however long a join takes.
func TestAnswersOfAPlanKeepTheOrder(t *testing.T) {
	opts := &room.Options{Authorize: func(context.Context, auth.Identity, string) error {
		time.Sleep(time.Millisecond)
		return nil
	}}
	eachSink(t, opts, func(t *testing.T, h *room.Hub, of sinks) {
		m := of.connect(t, h, "alice", roomtest.Options{})
		for n := range 20 {
			m.Send(fmt.Sprintf(`{"type":"join-plan","planId":"p%d"}`, n))
			m.Send(fmt.Sprintf(`{"type":"update-presence","planId":"p%d","data":{"state":{}}}`, n))
			m.Send(fmt.Sprintf(`{"type":"join-plan","planId":"p%d"}`, n))
			m.Send(fmt.Sprintf(`{"type":"leave-plan","planId":"p%d"}`, n))
			m.Send(fmt.Sprintf(`{"type":"update-presence","planId":"p%d","data":{"state":{}}}`, n))
		}
		time.Sleep(time.Second)
		got := make(map[string][]protocol.Type)
		for range 20 * 4 {
			msg := m.NextMessage()
			got[msg.PlanID] = append(got[msg.PlanID], msg.Type)
		}
		want := []protocol.Type{protocol.TypeJoinPlan, protocol.TypeJoinPlan, protocol.TypeLeavePlan, protocol.TypeError}
		for n := range 20 {
			if diff := cmp.Diff(want, got[fmt.Sprint("p", n)]); diff != "" {
				t.Errorf("answers of p%d (-want +got):\n%s", n, diff)
			}
		}
	})
}

func TestConnectRefuses(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		for _, test := range []struct {
			name string
			id   auth.Identity
			opts *room.ConnectOptions
			want error
		}{
			{"no user", auth.Identity{}, nil, room.ErrUserID},
			{"a client id with a space", auth.Identity{UserID: "a"}, &room.ConnectOptions{ClientID: "a b"}, room.ErrClientID},
			{"a client id of 65", auth.Identity{UserID: "a"}, &room.ConnectOptions{ClientID: strings.Repeat("x", 65)}, room.ErrClientID},
			{"past its end", auth.Identity{UserID: "a", ExpiresAt: time.Now().Add(-1)}, nil, room.ErrExpired},
			{"at its end", auth.Identity{UserID: "a", ExpiresAt: time.Now()}, nil, room.ErrExpired},
		} {
			k := roomtest.NewSink(nil)
			s, err := h.Connect(t.Context(), test.id, k, test.opts)
			if s != nil || err != test.want {
				t.Errorf("%s: Connect = %v, %v, want %v", test.name, s, err, test.want)
			}
			if got := k.Take(); got != "" {
				t.Errorf("%s: Connect wrote %q", test.name, got)
			}
		}
		if got := h.Stats(); got.Connections != 0 || got.Users != 0 {
			t.Errorf("%+v, want no connection", got)
		}
	})
}
