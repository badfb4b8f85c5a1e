package roster_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/planrooms/planrooms/room/internal/roster"
)

// takePages passes pages, of which the last completes a list.
func takePages(t *testing.T, x *roster.Others, from string, pages [][]byte, wantAgain bool) (changed []roster.Change) {
	t.Helper()
	for i, page := range pages {
		c, again := x.Page(from, page)
		if last := i == len(pages)-1; again != (last && wantAgain) || !last && len(c) > 0 {
			t.Errorf("page %d of %d: again %v, changed %v", i+1, len(pages), again, c)
		}
		changed = append(changed, c...)
	}
	return changed
}

// list returns a node that lists users 0 to n-1, after one delta.
func list(n int) *roster.Own {
	own := roster.NewOwn()
	for i := range n {
		own.Set(fmt.Sprint("plan ", i%3), person(fmt.Sprint(i)))
	}
	deltas(own, 1<<20)
	return own
}

func TestPagesInAnyOrder(t *testing.T) {
	own := list(50)
	pages := own.Pages(300)
	if len(pages) < 5 {
		t.Fatalf("%d pages", len(pages))
	}
	slices.Reverse(pages)
	pages = append([][]byte{pages[0], pages[0], pages[1]}, pages[1:]...)
	x := others("a")
	if changed := takePages(t, x, "a", pages, false); len(changed) != 50 {
		t.Errorf("changed %d, want 50", len(changed))
	}
	if n := x.Count("plan 0") + x.Count("plan 1") + x.Count("plan 2"); n != 50 || x.Behind("a", own.Number()) {
		t.Errorf("%d users, want 50", n)
	}
	// The whole list a second time, late.
	if changed := takePages(t, x, "a", pages, false); len(changed) != 0 {
		t.Errorf("changed %v", changed)
	}
	if changed := takePages(t, x, "a", own.Pages(300), false); len(changed) != 0 {
		t.Errorf("changed %v", changed)
	}
}

func TestListReplacesAll(t *testing.T) {
	own, x := list(9), others("a")
	takePages(t, x, "a", own.Pages(maxBytes), false)
	own.Remove("plan 0", "3")
	own.Remove("plan 1", "4")
	p := person("5")
	p.UserName, p.NameAt = "Eve", 2
	own.Set("plan 2", p)
	own.Set("plan 1", person("new"))
	delta(t, own) // lost
	own.Remove("plan 2", "8")
	d := delta(t, own)
	changed, gap := x.Delta("a", d)
	if !gap || len(changed) != 0 {
		t.Errorf("gap %v, changed %v", gap, changed)
	}
	if changed := takePages(t, x, "a", own.Pages(80), false); len(changed) != 5 {
		t.Errorf("changed %v", changed)
	}
	wantUsers(t, x, "plan 0", "0", "6")
	wantUsers(t, x, "plan 1", "1", "7", "new")
	wantUsers(t, x, "plan 2", "2", "5")
	if p, _ := x.Merged("plan 2", "5"); p.UserName != "Eve" {
		t.Errorf("name %q", p.UserName)
	}
}

func TestMixedRuns(t *testing.T) {
	own, x := list(30), others("a")
	first := own.Pages(300)
	own.Remove("plan 0", "0") // not in a delta yet, so both runs were taken after the same one
	second := own.Pages(300)
	if len(first) < 3 || len(first) != len(second) {
		t.Fatalf("%d and %d pages", len(first), len(second))
	}
	x.Page("a", first[0])
	for _, page := range slices.Concat(second[1:], first) {
		if changed, again := x.Page("a", page); len(changed) > 0 || again {
			t.Fatalf("two parts of runs count: %v", changed)
		}
	}
	wantUsers(t, x, "plan 0")
	if !x.Behind("a", own.Number()) {
		t.Error("not behind, although no run is complete")
	}
	if changed, _ := x.Page("a", second[0]); len(changed) != 29 {
		t.Errorf("changed %d, want 29", len(changed))
	}
	pass(t, x, "a", delta(t, own))
	if n := x.Count("plan 0"); n != 9 {
		t.Errorf("%d users, want 9", n)
	}
}

func TestDeltasAroundList(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	d := numbered(t, own, 2)
	x.Delta("a", d[1])
	own.Set("plan", person("3")) // in the list before its delta
	pages := own.Pages(maxBytes)
	d = append(d, numbered(t, own, 3)...)
	x.Delta("a", d[3])
	if _, gap := x.Delta("a", d[4]); !gap {
		t.Error("no gap")
	}
	takePages(t, x, "a", pages, true) // delta 3 is missing between the list and delta 4
	wantUsers(t, x, "plan", "1", "2", "3")
	pass(t, x, "a", d[2])
	wantUsers(t, x, "plan", "1", "2", "3", "4", "5")

	own.Remove("plan", "5")
	pages = own.Pages(maxBytes)
	pass(t, x, "a", delta(t, own))
	own.Remove("plan", "4")
	pass(t, x, "a", delta(t, own))
	for range 2 {
		if changed := takePages(t, x, "a", pages, false); len(changed) != 0 {
			t.Errorf("a list that is older than the deltas changed %v", changed)
		}
	}
	wantUsers(t, x, "plan", "1", "2", "3")
}

func TestDeltaThatIsInList(t *testing.T) {
	own, x := roster.NewOwn(), others("a")
	late := numbered(t, own, 1)[0]
	own.Remove("plan", "1") // not in a delta yet
	takePages(t, x, "a", own.Pages(maxBytes), false)
	pass(t, x, "a", late)
	wantUsers(t, x, "plan")
}

func TestOldListAsksOnce(t *testing.T) {
	own, x := list(30), others("a")
	takePages(t, x, "a", own.Pages(maxBytes), false)
	own.Pages(maxBytes)
	old := own.Pages(100)
	numbered(t, own, 1)
	x.Delta("a", numbered(t, own, 1)[0])
	asked := 0
	for _, page := range old {
		if _, again := x.Page("a", page); again {
			asked++
		}
	}
	if asked != 1 || len(old) < 3 {
		t.Errorf("%d pages of a list from before the gap ask %d times, want once", len(old), asked)
	}
}

func TestEmptyList(t *testing.T) {
	own, x := list(1), others("a")
	takePages(t, x, "a", own.Pages(maxBytes), false)
	own.Remove("plan 0", "0")
	delta(t, own)
	pages := own.Pages(maxBytes)
	if changed := takePages(t, x, "a", pages, false); len(pages) != 1 || len(changed) != 1 {
		t.Errorf("%d pages, changed %v", len(pages), changed)
	}
	wantUsers(t, x, "plan 0")
}
