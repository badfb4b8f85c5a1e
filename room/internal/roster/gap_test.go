package roster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/room/internal/roster"
)

// numbered returns n deltas; delta i adds user i.
func numbered(t *testing.T, own *roster.Own, n int) (bodies [][]byte) {
	t.Helper()
	for range n {
		own.Set("plan", person(fmt.Sprint(own.Number()+1)))
		bodies = append(bodies, delta(t, own))
	}
	return bodies
}

func TestDeltasThatOvertake(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	d := numbered(t, own, 4)
	pass(t, x, "a", d[0])
	for _, i := range []int{3, 2, 3, 0} {
		if changed, gap := x.Delta("a", d[i]); !gap || len(changed) != 0 {
			t.Errorf("delta %d before delta 2: gap %v, changed %v", i+1, gap, changed)
		}
	}
	wantUsers(t, x, "plan", "1")
	if !x.Behind("a", 0) {
		t.Error("not behind, although deltas are held")
	}
	if changed := pass(t, x, "a", d[1]); len(changed) != 3 {
		t.Errorf("changed %v", changed)
	}
	wantUsers(t, x, "plan", "1", "2", "3", "4")
	if x.Behind("a", 4) {
		t.Error("behind, although nothing is missing")
	}
}

func TestBehind(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	if x.Behind("a", own.Number()) || x.Behind("b", 5) {
		t.Error("behind a node that has sent nothing, or was not added")
	}
	numbered(t, own, 1) // lost, and nothing follows it
	if !x.Behind("a", own.Number()) {
		t.Error("not behind, although the last delta is missing")
	}
}

func TestHeldDeltasAreBounded(t *testing.T) {
	own, x := roster.NewOwn(), others("a", "b")
	d := numbered(t, own, 1)
	empty := x.Bytes()
	state := []byte(`"` + strings.Repeat("s", 1000) + `"`)
	most := 0
	for i := range 5000 {
		p := person(fmt.Sprint("late ", i))
		p.State = state
		own.Set("plan", p)
		if _, gap := x.Delta("a", delta(t, own)); !gap {
			t.Fatal("no gap")
		}
		most = max(most, x.Bytes()-empty)
	}
	if most < 1<<19 || most > 1<<20 {
		t.Errorf("holds up to %d bytes", most)
	}
	// What was dropped is missing until a list has it.
	if _, gap := x.Delta("a", d[0]); !gap || !x.Behind("a", 0) {
		t.Error("no gap, although deltas were dropped")
	}
	takePages(t, x, "a", own.Pages(maxBytes), false)
	if n := x.Count("plan"); n != 5001 || x.Behind("a", own.Number()) {
		t.Errorf("%d users, want 5001", n)
	}
}

func TestListBeforeDroppedDelta(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	numbered(t, own, 1)
	early := own.Pages(maxBytes)
	d := numbered(t, own, 1)[0]
	broken := append(slices.Clone(d), 200)
	if changed, gap := x.Delta("a", broken); !gap || len(changed) != 0 {
		t.Errorf("a broken delta: gap %v, changed %v", gap, changed)
	}
	takePages(t, x, "a", early, true) // it does not have what was broken
	takePages(t, x, "a", own.Pages(maxBytes), false)
	wantUsers(t, x, "plan", "1", "2")
}

func TestNodeThatWasNotAdded(t *testing.T) {
	own, x := roster.NewOwn(), others("b")
	d := numbered(t, own, 3)
	for _, body := range append(d, own.Pages(maxBytes)...) {
		changed, gap := x.Delta("a", body)
		more, again := x.Page("a", body)
		if len(changed)+len(more) != 0 || gap || again {
			t.Error("a node that was not added changes something")
		}
	}
	wantUsers(t, x, "plan")
	x.Add("a")
	if !x.Behind("a", own.Number()) {
		t.Error("not behind, although deltas came before the node was added")
	}
}

func TestGone(t *testing.T) {
	own, x := roster.NewOwn(), others("a", "b")
	empty := x.Bytes()
	d := numbered(t, own, 4)
	pages := own.Pages(60)
	pass(t, x, "a", d[0])
	pass(t, x, "a", d[1])
	x.Delta("a", d[3])
	x.Page("a", pages[0])
	pass(t, x, "b", d[0])

	changed := x.Gone("a")
	slices.SortFunc(changed, func(a, b roster.Change) int { return strings.Compare(a.UserID, b.UserID) })
	if want := []roster.Change{{Plan: "plan", UserID: "1"}, {Plan: "plan", UserID: "2"}}; !slices.Equal(changed, want) {
		t.Errorf("changed %v, want %v", changed, want)
	}
	wantUsers(t, x, "plan", "1")
	x.Delta("a", d[2])
	for _, page := range pages {
		x.Page("a", page)
	}
	if x.Behind("a", 4) || len(x.Gone("a")) != 0 {
		t.Error("a node that is gone is missing")
	}
	wantUsers(t, x, "plan", "1")
	x.Gone("b")
	if n := x.Bytes(); n != empty {
		t.Errorf("%d bytes, want %d", n, empty)
	}

	// It was only cut off.
	x.Add("a")
	x.Add("a")
	if _, gap := x.Delta("a", d[3]); !gap {
		t.Error("no gap")
	}
	takePages(t, x, "a", pages, false)
	wantUsers(t, x, "plan", "1", "2", "3", "4")
}
