package room_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

// If a crowd shrinks before its count was sent, no client keeps showing users who have left.
func TestSeamShrinkingCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, &room.Options{PresenceLimit: 2})
		var peers []*peer
		for n := range 3 {
			p := mustConnect(t, h, newPeer(1, 10), fmt.Sprint(n))
			p.join("p", nil)
			peers = append(peers, p)
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		peers[2].leave("p")
		synctest.Wait()
		late := mustConnect(t, h, newPeer(1, 10), "1") // lists all, and gets no count
		late.join("p", nil)
		synctest.Wait()
		peers[0].leave("p")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		var v view
		for _, m := range late.take() {
			var a protocol.JoinAnswer
			if m.msg.Type == protocol.TypeJoinPlan && json.Unmarshal(m.msg.Data, &a) == nil && a.Success {
				v.join(&a)
			} else if m.msg.PlanID == "p" {
				v.notice("1", m.msg)
			}
		}
		if len(v.people) != 1 || v.count != 1 {
			t.Errorf("shows %v, %d", v.people, v.count)
		}
	})
}

// A user who joins and leaves repeatedly takes one notice in the log, however far behind its
// readers are.
func TestSeamSupersededNotices(t *testing.T) {
	seamTest(t, nil, func(t *testing.T, h *room.Hub, p *peer, _, writing *roomtest.Hold) {
		writing.Arm()
		update(t, h, "p", 1)
		writing.Wait() // the pump is stopped, so no notice is dropped because all members have received it
		for range 300 {
			v := mustConnect(t, h, newPeer(1, 10), "v")
			v.join("p", nil)
			synctest.Wait()
			v.leave("p")
			synctest.Wait()
			v.end(protocol.CloseAbnormal)
		}
		writing.Release()
		synctest.Wait()
		if got := p.types(); got != "[task-updated leave-plan]" {
			t.Errorf("received %s", got)
		}
	})
}

// A tab that clears its state receives the state of another tab, which is now shown for the user.
func TestSeamClearedStateRevealsAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, nil)
		var tabs [2]*peer
		for i := range tabs {
			tabs[i] = mustConnect(t, h, newPeer(1, 10), "u")
			tabs[i].join("p", nil)
			tabs[i].request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "p", State: json.RawMessage(fmt.Sprint(i))})
			synctest.Wait()
		}
		tabs[1].take()
		tabs[1].request(protocol.Request{Type: protocol.TypeUpdatePresence, PlanID: "p"})
		synctest.Wait()
		if got := tabs[1].take(); len(got) != 1 || string(got[0].msg.Data) != `{"userId":"u","state":0}` {
			t.Errorf("received %v", got)
		}
	})
}
