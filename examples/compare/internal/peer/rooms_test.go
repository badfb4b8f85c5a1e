package peer_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/peer"
)

func TestRooms(t *testing.T) {
	rooms := peer.NewRooms()
	in := func(room string) (list []int) {
		rooms.Each(room, func(i int) { list = append(list, i) })
		slices.Sort(list)
		return list
	}
	leave := map[int]func(){}
	for i := 1; i <= 4; i++ {
		leave[i] = rooms.Join("a", i)
	}
	rooms.Join("b", 9)
	for _, test := range []struct {
		leaves int
		want   []int
	}{
		{2, []int{1, 3, 4}}, {2, []int{1, 3, 4}}, {4, []int{1, 3}}, {1, []int{3}}, {3, nil},
	} {
		leave[test.leaves]()
		if diff := cmp.Diff(test.want, in("a")); diff != "" {
			t.Errorf("after %d left (-want +got):\n%s", test.leaves, diff)
		}
	}
	if diff := cmp.Diff([]int{9}, in("b")); diff != "" || in("c") != nil {
		t.Errorf("the other rooms (-want +got):\n%s", diff)
	}
}

func TestNamesAreMadeAndKnown(t *testing.T) {
	names := peer.Names()
	if names[0] != peer.Ours || names[1] != peer.Raw || len(names) != 12 {
		t.Errorf("Names() = %v, want ours, raw, eight others, and ours with metrics and with OpenTelemetry", names)
	}
	if diff := cmp.Diff(names[:10], peer.Default()); diff != "" {
		t.Errorf("Default() (-want +got):\n%s", diff)
	}
	if _, err := peer.New("nobody", peer.Options{}); err == nil {
		t.Error("New(nobody) returned no error")
	}
	if _, err := peer.New(peer.Ours, peer.Options{}); err == nil {
		t.Error("New(planrooms) without a key returned no error")
	}
}
