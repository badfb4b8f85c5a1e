package tenure_test

import (
	"slices"
	"testing"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

func wantLeft(t *testing.T, w *tenure.Wait, p *tenure.Peers, want ...string) {
	t.Helper()
	if got := w.Over(p, "own"); !slices.Equal(got, want) {
		t.Fatalf("left: %q, want %q", got, want)
	}
}

func TestWait(t *testing.T) {
	c := newCluster(t, "a", "b", "c", "own")
	w := tenure.NewWait(9, "A")
	wantLeft(t, &w, &c.Peers, "a", "b", "c")
	w.Acked("a", 8, "A")
	w.Acked("a", 9, "B")
	w.Acked("d", 9, "A")
	wantLeft(t, &w, &c.Peers, "a", "b", "c")
	w.Acked("a", 9, "A")
	w.Acked("a", 9, "A")
	wantLeft(t, &w, &c.Peers, "b", "c")

	b := tenure.Listed{Name: "b", Number: 2, Tenure: 1, Fenced: 8, SameEpoch: true}
	c.list(1, 1, b)
	wantLeft(t, &w, &c.Peers, "b", "c")
	b.Fenced, b.SameEpoch = 9, false
	c.list(2, 2, b)
	wantLeft(t, &w, &c.Peers, "b", "c")
	b.SameEpoch = true
	c.list(3, 3, b)
	wantLeft(t, &w, &c.Peers, "c")
	b.Fenced = 3 // an old list
	c.Listed(tenure.List{Nodes: []tenure.Listed{b}})
	wantLeft(t, &w, &c.Peers, "c")

	c.Silent("c", 1)
	wantLeft(t, &w, &c.Peers)
	c.Recorded("c", 2, 10)
	wantLeft(t, &w, &c.Peers)
}

func TestWaitForUnlistedNodes(t *testing.T) {
	p := tenure.NewPeers(10)
	w := tenure.NewWait(9, "A")
	wantLeft(t, &w, &p, tenure.Unlisted)
	p.Listed(tenure.List{Complete: true})
	wantLeft(t, &w, &p)
}
