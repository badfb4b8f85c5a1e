package room_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
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

// fold applies presence notices as a client does.
func fold(t *testing.T, people map[string]string, msgs []protocol.Message) {
	t.Helper()
	for _, msg := range msgs {
		var data struct {
			UserID           string          `json:"userId"`
			State            json.RawMessage `json:"state"`
			ParticipantCount int             `json:"participantCount"`
		}
		mustDecode(t, msg, &data)
		switch msg.Type {
		case protocol.TypeJoinPlan:
			people[data.UserID] = ""
		case protocol.TypeLeavePlan:
			delete(people, data.UserID)
		case protocol.TypePresenceUpdated:
			people[data.UserID] = strings.TrimPrefix(string(data.State), "null")
		}
	}
}

// While a member lags, notices that a newer one of the same user supersedes are dropped. The member
// still ends with the right participants.
func TestLaggingMemberConverges(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		slow := roomtest.Connect(t, h, auth.Identity{UserID: "slow", Name: "slow"}, &roomtest.Options{Blocking: of.blocking, SocketBuffer: 10})
		slow.Join("p", nil)
		slow.Stall()
		stay := of.join(t, h, "stay", "p")
		gone := of.join(t, h, "gone", "p")
		for n := range 50 {
			setState(stay, "p", fmt.Sprint(n))
			setState(gone, "p", fmt.Sprint(n))
			time.Sleep(100 * time.Millisecond)
		}
		gone.Send(`{"type":"leave-plan","planId":"p"}`)
		back := of.join(t, h, "back", "p")
		setState(back, "p", `1`)
		back.Send(`{"type":"leave-plan","planId":"p"}`)
		synctest.Wait()
		back.Join("p", nil)
		setState(stay, "p", `"last"`)
		update(t, h, "p", 1)

		slow.Unstall()
		people := map[string]string{"slow": ""}
		msgs := unread(t, slow)
		if len(msgs) > 10 {
			t.Errorf("received %d messages: superseded ones were not dropped", len(msgs))
		}
		events := 0
		for i, msg := range msgs {
			if msg.Seq > 0 {
				events++
				msgs = append(msgs[:i:i], msgs[i+1:]...)
			}
		}
		fold(t, people, msgs)
		if diff := cmp.Diff(map[string]string{"slow": "", "stay": `"last"`, "back": ""}, people); diff != "" || events != 1 {
			t.Errorf("%d events, people (-want +got):\n%s", events, diff)
		}
	})
}

// Members lag from different moments on. Whatever happens, they end with the right participants and
// miss no event.
func TestLaggingMembersAtRandom(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, h *room.Hub) {
				random := rand.New(rand.NewPCG(seed, 1))
				users := make([]*roomtest.Member, 12)
				for n := range users {
					users[n] = connect(t, h, fmt.Sprint("user", n), "")
				}
				type watcher struct {
					m      *roomtest.Member
					people map[string]string
					events int
				}
				var watchers []*watcher
				truth := make(map[string]string)
				events := 0
				for op := range 600 {
					if op%100 == 0 {
						w := &watcher{people: make(map[string]string), events: events}
						name := fmt.Sprint("watcher", op)
						w.m = roomtest.Connect(t, h, auth.Identity{UserID: name, Name: name}, &roomtest.Options{SocketBuffer: 10 * op})
						w.m.Join("p", nil)
						for _, p := range w.m.Joined.Participants {
							w.people[p.UserID] = string(p.State)
						}
						w.m.Stall()
						truth[name] = ""
						watchers = append(watchers, w)
					}
					m := users[random.IntN(len(users))]
					name := m.Session().UserID()
					state, in := truth[name]
					switch random.IntN(6) {
					case 0:
						update(t, h, "p", op)
						events++
					case 1, 2:
						m.Send(`{"type":"leave-plan","planId":"p"}`)
						delete(truth, name)
					case 3:
						m.Send(`{"type":"join-plan","planId":"p"}`)
						truth[name] = state
					default:
						state = fmt.Sprint(op)
						if random.IntN(4) == 0 {
							state = ""
						}
						if in {
							truth[name] = state
						}
						if state == "" {
							state = "null"
						}
						m.Send(fmt.Sprintf(`{"type":"update-presence","planId":"p","data":{"state":%s}}`, state))
					}
					synctest.Wait()
				}
				for _, w := range watchers {
					w.m.Unstall()
					var notices []protocol.Message
					for _, msg := range unread(t, w.m) {
						if msg.Seq > 0 {
							w.events++
						} else {
							notices = append(notices, msg)
						}
					}
					fold(t, w.people, notices)
					if diff := cmp.Diff(truth, w.people); diff != "" || w.events != events {
						t.Errorf("%s received %d events, want %d; people (-want +got):\n%s", w.m.Session().UserID(), w.events, events, diff)
					}
				}
			})
		})
	}
}

// visit makes a user join and leave. The leave is one more notice that waits for lagging members.
func visit(t *testing.T, h *room.Hub, user string) {
	t.Helper()
	m := roomtest.Join(t, h, user, "p")
	m.Send(`{"type":"leave-plan","planId":"p"}`)
	synctest.Wait()
	m.Cut()
}

// After a lagging member has caught up, no notice is kept for it.
func TestCaughtUpMemberRetainsNoNotices(t *testing.T) {
	eachSink(t, nil, func(t *testing.T, h *room.Hub, of sinks) {
		p := of.pipe(t, h, "alice", -1)
		p.send(`{"type":"join-plan","planId":"p"}`)
		p.read()
		p.open(10)
		update(t, h, "p", 1)
		visit(t, h, "bob")
		p.open(-1)
		p.read()
		for n := range 1100 {
			visit(t, h, fmt.Sprint("user", n))
		}
		if finished, closed := p.state(); finished || closed || h.Stats().TooSlow != 0 {
			t.Error("a member that reads everything was closed")
		}
	})
}

// A member for which too many notices are kept is closed, and no other is.
func TestTooManyNoticesWait(t *testing.T) {
	const limit = 1024 + 3*100 // three for each user of PresenceLimit
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		fast := roomtest.Join(t, h, "fast", "p")
		slow := openPipe(t, h, "slow", -1)
		slow.send(`{"type":"join-plan","planId":"p"}`)
		gathered()
		slow.read()
		slow.open(0)
		for n := range limit {
			visit(t, h, fmt.Sprint("user", n))
		}
		gathered()
		if _, closed := slow.state(); closed || h.Stats().TooSlow != 0 {
			t.Fatalf("closed with %d notices waiting", limit)
		}
		visit(t, h, "one more")
		gathered()
		if got := h.Stats().TooSlow; got != 1 {
			t.Errorf("TooSlow = %d, want 1", got)
		}
		leaves := 0
		for _, msg := range unread(t, fast) {
			if msg.Type == protocol.TypeLeavePlan {
				leaves++
			}
		}
		if leaves != limit+1 {
			t.Errorf("the other member received %d leaves, want %d", leaves, limit+1)
		}
	})
}
