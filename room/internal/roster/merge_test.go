package roster_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room/internal/roster"
)

func TestMerge(t *testing.T) {
	early := joined.Add(-time.Hour)
	listed := map[string]roster.Person{
		"a": {UserName: "Old", NameAt: 3, JoinedAt: joined, Connections: 1, State: []byte("1"), StateAt: 5},
		"b": {UserName: "New", NameAt: 4, Connections: 2, State: []byte("2"), StateAt: 5},
		"c": {UserName: "Early", NameAt: 4, JoinedAt: early, State: []byte("3"), StateAt: 4},
		"d": {UserName: "Old", NameAt: 3, JoinedAt: joined, Connections: 4, StateAt: 9},
	}
	want := roster.Person{
		UserID: "ann", UserName: "Early", NameAt: 4, NameBy: "c", JoinedAt: early, Connections: 7,
		State: []byte("2"), StateAt: 5, StateBy: "b",
	}
	nodes := []string{"a", "b", "c", "d"}
	for _, order := range permutations(nodes) {
		x := others(nodes...)
		for _, node := range order {
			own, p := roster.NewOwn(), listed[node]
			p.UserID = "ann"
			own.Set("plan", p)
			pass(t, x, node, delta(t, own))
		}
		got, _ := x.Merged("plan", "ann")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in the order %q:\n%s", order, diff)
		}
		wantUsers(t, x, "plan", "ann")
		if got := x.Nodes("plan", "ann"); !slices.Equal(slices.Sorted(slices.Values(got)), nodes) {
			t.Errorf("nodes %q", got)
		}
		// As a node sees it that lists the user itself.
		x.Gone(order[3])
		own := listed[order[3]]
		own.UserID, own.NameBy = "ann", order[3]
		if own.State != nil {
			own.StateBy = order[3]
		}
		others, _ := x.Merged("plan", "ann")
		if own.Merge(others); own.State == nil {
			t.Error("no state")
		}
		if diff := cmp.Diff(want, own); diff != "" {
			t.Errorf("in the order %q, with the own one:\n%s", order, diff)
		}
		for i, node := range order[:3] {
			if x.Gone(node); x.Count("plan") != min(1, 2-i) {
				t.Errorf("%d users after %d nodes are gone", x.Count("plan"), i+2)
			}
		}
	}
}

func permutations(list []string) (all [][]string) {
	if len(list) == 0 {
		return [][]string{nil}
	}
	for i, first := range list {
		rest := slices.Delete(slices.Clone(list), i, i+1)
		for _, p := range permutations(rest) {
			all = append(all, append([]string{first}, p...))
		}
	}
	return all
}
