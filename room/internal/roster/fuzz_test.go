package roster_test

import (
	"testing"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room/internal/roster"
)

// FuzzBodies passes what may come from another node as deltas and pages, around those of a node.
func FuzzBodies(f *testing.F) {
	own := roster.NewOwn()
	for _, id := range []string{"ann", "bob"} {
		p := person(id)
		p.State, p.StateAt = []byte("{}"), 3
		own.Set("plan", p)
		body, _ := own.Delta(maxBytes)
		f.Add(body, body)
	}
	good := own.Pages(maxBytes)[0]
	f.Add(good, good)
	for _, page := range own.Pages(20) {
		f.Add(page, unhex(goldenDelta))
	}
	f.Add(unhex(goldenPage), unhex("02"))

	f.Fuzz(func(t *testing.T, first, second []byte) {
		x := others("a", "b")
		x.Page("b", good)
		for _, body := range [][]byte{first, second, first} {
			before := x.Bytes()
			changed, gap := x.Delta("a", body)
			more, again := x.Page("a", body)
			// The smallest entry that changes something has 6 bytes.
			if n := len(changed) + len(more); n > len(first)+len(second) {
				t.Errorf("%d changes", n)
			}
			if n := x.Bytes() - before; n > 400+100*(len(first)+len(second)) {
				t.Errorf("a body of %d bytes uses %d", len(body), n)
			}
			if (gap || again) && !x.Behind("a", 0) && len(changed) > 0 {
				t.Error("asks for a list that is complete")
			}
			for _, c := range append(changed, more...) {
				if !protocol.ValidPlanID(c.Plan) || !protocol.ValidUserID(c.UserID) {
					t.Errorf("changed %q", c)
				}
				p, ok := x.Merged(c.Plan, c.UserID)
				if ok && (p.UserID != c.UserID || p.State != nil && !protocol.ValidState(p.State) || p.Connections < 0) {
					t.Errorf("lists %+v", p)
				}
			}
		}
		// Nothing of it remains.
		x.Gone("a")
		if users := users(x, "plan"); len(users) != 2 {
			t.Errorf("the list of another node is %q", users)
		}
		x.Add("a")
		takePages(t, x, "a", [][]byte{good}, false)
		if names := x.Nodes("plan", "ann"); len(names) != 2 {
			t.Errorf("ann is listed by %q", names)
		}
		x.Gone("a")
		x.Gone("b")
		if n := x.Bytes(); n != 0 {
			t.Errorf("%d bytes without a node", n)
		}
	})
}
