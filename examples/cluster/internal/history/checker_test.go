package history_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// A checker sees each fault of a stream, and none in a sound one.
func TestChecker(t *testing.T) {
	load := func(change uint64) func(*history.Checker) { return func(c *history.Checker) { c.Load(change) } }
	events := func(changes ...uint64) func(*history.Checker) {
		return func(c *history.Checker) {
			for _, n := range changes {
				c.Event(n)
			}
		}
	}
	for _, test := range []struct {
		name  string
		steps []func(*history.Checker)
		want  history.Counts
	}{
		{"in order", []func(*history.Checker){load(0), events(1, 2, 3)}, history.Counts{Delivered: 3, Last: 3}},
		{"a late start", []func(*history.Checker){load(7), events(8, 9)}, history.Counts{Delivered: 2, Last: 9}},
		{"events that the plan contains", []func(*history.Checker){load(7), events(6, 7, 8)}, history.Counts{Delivered: 3, Last: 8}},
		{"a load covers what was missed", []func(*history.Checker){load(0), events(1), load(5), events(6)}, history.Counts{Delivered: 2, Last: 6}},
		{"a lost event", []func(*history.Checker){load(0), events(1, 3)}, history.Counts{Delivered: 2, Last: 3, Lost: 1}},
		{"several lost events", []func(*history.Checker){load(2), events(6, 8)}, history.Counts{Delivered: 2, Last: 8, Lost: 4}},
		{"a load after a lost event", []func(*history.Checker){load(0), events(1, 3), load(3)}, history.Counts{Delivered: 2, Last: 3}},
		{"a load before the lost event", []func(*history.Checker){load(0), events(1, 3), load(1)}, history.Counts{Delivered: 2, Last: 3, Lost: 1, Disordered: 1}},
		{"a doubled event", []func(*history.Checker){load(0), events(1, 2, 2)}, history.Counts{Delivered: 3, Last: 2, Doubled: 1}},
		{"doubled, and loaded between", []func(*history.Checker){load(0), events(1, 2), load(2), events(2)}, history.Counts{Delivered: 3, Last: 2, Doubled: 1}},
		{"a late event", []func(*history.Checker){load(0), events(1, 3, 2)}, history.Counts{Delivered: 3, Last: 3, Disordered: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c history.Checker
			for _, step := range test.steps {
				step(&c)
			}
			if diff := cmp.Diff(test.want, c.Counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}
