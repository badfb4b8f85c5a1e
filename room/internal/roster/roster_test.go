package roster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room/internal/roster"
)

const maxBytes = 48 << 10

var joined = time.Unix(1_800_000_000, 123_456_789)

func person(userID string) roster.Person {
	return roster.Person{UserID: userID, UserName: "Name of " + userID, NameAt: 1, JoinedAt: joined, Connections: 1}
}

// deltas returns all deltas that are waiting.
func deltas(o *roster.Own, maxBytes int) (bodies [][]byte) {
	for body, ok := o.Delta(maxBytes); ok; body, ok = o.Delta(maxBytes) {
		bodies = append(bodies, body)
	}
	return bodies
}

// delta returns the only delta that is waiting.
func delta(t *testing.T, o *roster.Own) []byte {
	t.Helper()
	bodies := deltas(o, maxBytes)
	if len(bodies) != 1 {
		t.Fatalf("%d deltas, want 1", len(bodies))
	}
	return bodies[0]
}

// others returns the lists of nodes.
func others(nodes ...string) *roster.Others {
	x := roster.NewOthers()
	for _, node := range nodes {
		x.Add(node)
	}
	return x
}

// users returns the users whom others list in a plan, in order.
func users(x *roster.Others, plan string) (ids []string) {
	for p := range x.Plan(plan) {
		ids = append(ids, p.UserID)
	}
	slices.Sort(ids)
	if len(ids) != x.Count(plan) {
		ids = append(ids, "(Count differs)")
	}
	return ids
}

func wantUsers(t *testing.T, x *roster.Others, plan string, want ...string) {
	t.Helper()
	if got := users(x, plan); !slices.Equal(got, want) {
		t.Errorf("the others list %q in %s, want %q", got, plan, want)
	}
}

// pass passes a delta of which a node expects no gap.
func pass(t *testing.T, x *roster.Others, from string, body []byte) []roster.Change {
	t.Helper()
	changed, gap := x.Delta(from, body)
	if gap {
		t.Error("there is a gap")
	}
	return changed
}

func TestDeltaCarriesPerson(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	p := person("ann")
	p.Connections, p.NameAt, p.State, p.StateAt = 2, 7, []byte(`{"at":"task 3"}`), 9
	own.Set("plan", p)
	changed := pass(t, x, "a", delta(t, own))
	if want := []roster.Change{{Plan: "plan", UserID: "ann"}}; !slices.Equal(changed, want) {
		t.Errorf("changed %v, want %v", changed, want)
	}
	got, ok := x.Merged("plan", "ann")
	p.NameBy, p.StateBy = "a", "a"
	if diff := cmp.Diff(p, got); !ok || diff != "" {
		t.Errorf("merged: %v\n%s", ok, diff)
	}
	if got := x.Nodes("plan", "ann"); !slices.Equal(got, []string{"a"}) {
		t.Errorf("nodes %q", got)
	}

	// Without a state, a time and a connection.
	p = roster.Person{UserID: "ann", UserName: "Ann", NameAt: 8, NameBy: "a"}
	own.Set("plan", p)
	pass(t, x, "a", delta(t, own))
	got, ok = x.Merged("plan", "ann")
	if diff := cmp.Diff(p, got); !ok || diff != "" {
		t.Errorf("merged: %v\n%s", ok, diff)
	}
	own.Remove("plan", "ann")
	pass(t, x, "a", delta(t, own))
	if _, ok := x.Merged("plan", "ann"); ok {
		t.Error("a removed user is listed")
	}
}

func TestDeltaSendsEachChangeOnce(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	if _, ok := own.Delta(maxBytes); ok || own.Number() != 0 {
		t.Errorf("a delta without a change, number %d", own.Number())
	}
	for n := range 10 {
		p := person("ann")
		p.Connections = n
		own.Set("plan", p)
	}
	first := delta(t, own)
	if changed := pass(t, x, "a", first); len(changed) != 1 || own.Number() != 1 {
		t.Errorf("ten changes of a person are %v, number %d", changed, own.Number())
	}
	p := person("ann")
	p.Connections = 9
	own.Set("plan", p)
	own.Remove("plan", "bob")
	if bodies := deltas(own, maxBytes); len(bodies) != 0 {
		t.Error("a delta without a change")
	}
	if changed := pass(t, x, "a", first); len(changed) != 0 {
		t.Errorf("a repeated delta changed %v", changed)
	}
}

func TestDeltaIsBounded(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	for i := range 100 {
		own.Set("plan "+strings.Repeat("x", i%7), person(strings.Repeat("u", i+1)))
	}
	const maxBytes = 500
	bodies := deltas(own, maxBytes)
	if len(bodies) < 10 || own.Number() != uint64(len(bodies)) {
		t.Errorf("%d deltas, number %d", len(bodies), own.Number())
	}
	for i, body := range bodies {
		if len(body) > maxBytes {
			t.Errorf("delta %d has %d bytes", i+1, len(body))
		}
		pass(t, x, "a", body)
	}
	for _, page := range own.Pages(maxBytes) {
		if len(page) > maxBytes {
			t.Errorf("a page has %d bytes", len(page))
		}
	}
	// A change between two deltas of a burst.
	own.Set("plan", person("1"))
	own.Set("plan", person("2"))
	body, _ := own.Delta(1)
	pass(t, x, "a", body)
	own.Remove("plan", "1")
	for _, body := range deltas(own, 1) {
		pass(t, x, "a", body)
	}
	wantUsers(t, x, "plan", "2")
	own.Remove("plan", "2")
	delta(t, own)

	// One that is larger than the bound is sent alone.
	for _, id := range []string{"v", "w"} {
		own.Set("plan", person(strings.Repeat(id, 250)))
	}
	if bodies := deltas(own, 100); len(bodies) != 2 {
		t.Errorf("%d deltas, want 2", len(bodies))
	}
	if pages := own.Pages(100); len(pages) != 102 {
		t.Errorf("%d pages, want 102", len(pages))
	}
}
