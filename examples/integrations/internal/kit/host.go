package kit

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport/client"
)

// Host is a service with two plans, 1 and 2, that its tests see from outside: Ann and Bob may see
// both, Bob on two devices; Cleo may see plan 1 as a member of a group, and a visitor by a share
// link. Task 7 is in plan 1.
type Host struct {
	URL   string
	Plans string // the path of a plan without its ID, such as "/plans/"
	Hub   *room.Hub
	Move  func(planID string) any // the body of a request that moves a task
	Drain func()                  // returns when all changes that were answered are broadcast

	Ann, Bob, BobsPhone, Cleo, Visitor User
}

func (h *Host) planURL(planID string) string { return h.URL + h.Plans + planID }

// watch returns a viewer of a plan.
func (h *Host) watch(t testing.TB, planID string, u User) *Viewer {
	t.Helper()
	return Watch(t, h.URL, h.planURL(planID), planID, u)
}

// do sends a request of Ann and waits until its change is broadcast.
func (h *Host) do(t testing.TB, method, path string, body any) {
	t.Helper()
	h.Ann.Do(t, method, h.URL+path, body, http.StatusOK)
	h.Drain()
}

// rename is a change of plan 1.
func (h *Host) rename(t testing.TB) {
	t.Helper()
	h.do(t, http.MethodPatch, "/tasks/7", map[string]string{"title": "Oat milk"})
}

// TestHost tests what the viewers of a host get, over real sockets. start starts a host.
func TestHost(t *testing.T, start func(t *testing.T) *Host) {
	for name, test := range map[string]func(*testing.T, *Host){
		"change": testChange, "member removed": testMemberRemoved, "group changed": testGroupChanged,
		"share link deleted": testLinkDeleted, "one device logged out": testLoggedOut,
		"plan deleted": testPlanDeleted, "task moved": testMoved, "bulk": testBulk, "race": testRace,
		"other spelling": testOtherSpelling,
	} {
		t.Run(name, func(t *testing.T) { test(t, start(t)) })
	}
}

// wantOut checks that the viewer is removed without having got an event, and stays out.
func (h *Host) wantOut(t *testing.T, v *Viewer, planID string) {
	t.Helper()
	h.rename(t)
	v.WantEnd(client.ErrRemoved)
	WantForbidden(t, v.Client, planID)
}

// A tab gets the receipt of its change, and all others get the task with its numeric ID.
func testChange(t *testing.T, h *Host) {
	tab, bob, visitor := h.watch(t, "1", h.Ann), h.watch(t, "1", h.Bob), h.watch(t, "1", h.Visitor)
	h.Ann.Tab(tab.Client.ClientID(), "m-1").Do(t, http.MethodPatch, h.URL+"/tasks/7", map[string]string{"title": "Oat milk"}, http.StatusOK)
	if m := tab.Want(protocol.TypeReceipt); m.By != "ann" || m.MutationID != "m-1" {
		t.Errorf("receipt by %q, mutation %q", m.By, m.MutationID)
	}
	for _, v := range []*Viewer{bob, visitor} {
		m := v.Want(protocol.TypeTaskUpdated)
		if m.By != "ann" || m.Version != (protocol.EventVersion{Key: "7", N: 2}) || !strings.Contains(v.Tasks["7"], `"Oat milk"`) {
			t.Errorf("tasks %v, by %q, version %v", v.Tasks, m.By, m.Version)
		}
	}
	h.do(t, http.MethodDelete, "/tasks/7", nil)
	if m := bob.Want(protocol.TypeTaskDeleted); string(m.Data) != `{"taskId":7}` || len(bob.Tasks) > 0 {
		t.Errorf("data %s, tasks %v", m.Data, bob.Tasks)
	}
	WantRefused(t, h.URL, Bearer("token-of-nobody"))
}

// Bob is removed from plan 1 in all his tabs, and stays in plan 2.
func testMemberRemoved(t *testing.T, h *Host) {
	laptop, phone, other, ann := h.watch(t, "1", h.Bob), h.watch(t, "1", h.BobsPhone), h.watch(t, "2", h.Bob), h.watch(t, "1", h.Ann)
	h.do(t, http.MethodDelete, h.Plans+"1/members/bob", nil)
	h.wantOut(t, laptop, "1")
	phone.WantEnd(client.ErrRemoved)
	ann.Want(protocol.TypeTaskUpdated)
	WantSame(t, h.Hub, other)
}

// Cleo leaves the group. The access of Bob, a member, is asked for as well, and he stays.
func testGroupChanged(t *testing.T, h *Host) {
	cleo, bob := h.watch(t, "1", h.Cleo), h.watch(t, "1", h.Bob)
	h.do(t, http.MethodDelete, "/groups/team/members/bob", nil)
	h.do(t, http.MethodDelete, "/groups/team/members/cleo", nil)
	h.wantOut(t, cleo, "1")
	bob.Want(protocol.TypeTaskUpdated)
}

// The share link is deleted. All of its visitors are removed, the members stay.
func testLinkDeleted(t *testing.T, h *Host) {
	visitor, second, bob := h.watch(t, "1", h.Visitor), h.watch(t, "1", h.Visitor), h.watch(t, "1", h.Bob)
	h.do(t, http.MethodDelete, "/links/link-5", nil)
	h.wantOut(t, visitor, "1")
	second.WantEnd(client.ErrRemoved)
	bob.Want(protocol.TypeTaskUpdated)
}

// Bob logs out on his phone. The laptop stays connected, and the phone cannot connect any more.
func testLoggedOut(t *testing.T, h *Host) {
	laptop, phone := h.watch(t, "1", h.Bob), h.watch(t, "1", h.BobsPhone)
	h.BobsPhone.Do(t, http.MethodDelete, h.URL+"/login", nil, http.StatusOK)
	h.Drain()
	h.rename(t)
	phone.WantEnd(client.ErrUnauthorized)
	laptop.Want(protocol.TypeTaskUpdated)
	if n := laptop.opened.Load(); n != 1 {
		t.Errorf("the laptop has connected %d times, want 1", n)
	}
	WantRefused(t, h.URL, h.BobsPhone)
}

// The plan is deleted. All viewers are removed, and a new join is refused.
func testPlanDeleted(t *testing.T, h *Host) {
	viewers := []*Viewer{h.watch(t, "1", h.Ann), h.watch(t, "1", h.Bob), h.watch(t, "1", h.Visitor)}
	h.do(t, http.MethodDelete, h.Plans+"1", nil)
	for _, v := range viewers {
		v.WantEnd(client.ErrRemoved)
		WantForbidden(t, v.Client, "1")
	}
}

// A plan is found only by the ID that the broadcasts use, over HTTP and over the socket. A viewer
// of the plan 01, which is 1 as a number, would wait for events that never arrive.
func testOtherSpelling(t *testing.T, h *Host) {
	bob := Dial(t, h.URL, h.Bob)
	for _, planID := range []string{"01", "+1", "1.0"} {
		WantForbidden(t, bob, planID)
		h.Bob.Do(t, http.MethodGet, h.planURL(planID), nil, http.StatusNotFound)
	}
	h.Bob.Do(t, http.MethodDelete, h.URL+"/tasks/07", nil, http.StatusNotFound)
}

// The task moves to plan 2 and back.
func testMoved(t *testing.T, h *Host) {
	from, to := h.watch(t, "1", h.Bob), h.watch(t, "2", h.Bob)
	h.do(t, http.MethodPatch, "/tasks/7", h.Move("2"))
	to.Want(protocol.TypeTaskCreated)
	from.Want(protocol.TypeTaskDeleted)
	if len(from.Tasks) > 0 || len(to.Tasks) != 1 || !strings.Contains(to.Tasks["7"], `"version":2`) {
		t.Errorf("tasks of the two plans: %v, %v", from.Tasks, to.Tasks)
	}
	h.do(t, http.MethodPatch, "/tasks/7", h.Move("1"))
	h.rename(t)
	WantSame(t, h.Hub, from)
	WantSame(t, h.Hub, to)
}

// All viewers get 1,000 new tasks, in one order and without loading the plan again.
func testBulk(t *testing.T, h *Host) {
	const n = 1000
	viewers := []*Viewer{h.watch(t, "1", h.Ann), h.watch(t, "1", h.Bob), h.watch(t, "1", h.Visitor)}
	titles := make([]string, n)
	for i := range titles {
		titles[i] = fmt.Sprint("imported ", i)
	}
	h.do(t, http.MethodPost, h.Plans+"1/tasks", map[string][]string{"titles": titles})
	for _, v := range viewers {
		var last uint64
		for i := range n {
			m := v.Want(protocol.TypeTaskCreated)
			if i > 0 && m.Prev != last || !strings.Contains(string(m.Data), `"`+titles[i]+`"`) {
				t.Fatalf("event %d: %s after %d, want it after %d", i, m.Data, m.Prev, last)
			}
			last = m.Seq
		}
	}
	WantSame(t, h.Hub, viewers...)
}

// Ann and Bob change the same task at the same time. No viewer is left on an older state.
func testRace(t *testing.T, h *Host) {
	viewers := []*Viewer{h.watch(t, "1", h.Ann), h.watch(t, "1", h.BobsPhone), h.watch(t, "1", h.Cleo), h.watch(t, "1", h.Visitor)}
	Race(t, h.Hub, h.URL+"/tasks/7", [2]User{h.Ann, h.Bob}, h.Drain, viewers...)
}
