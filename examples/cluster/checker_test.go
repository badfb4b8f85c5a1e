package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A checker sees each fault of a stream, and none in a sound one.
func TestChecker(t *testing.T) {
	load := func(change uint64) func(*checker) { return func(c *checker) { c.load(change) } }
	events := func(changes ...uint64) func(*checker) {
		return func(c *checker) {
			for _, n := range changes {
				c.event(n)
			}
		}
	}
	for _, test := range []struct {
		name  string
		steps []func(*checker)
		want  counts
	}{
		{"in order", []func(*checker){load(0), events(1, 2, 3)}, counts{Delivered: 3, Last: 3}},
		{"a late start", []func(*checker){load(7), events(8, 9)}, counts{Delivered: 2, Last: 9}},
		{"events that the plan contains", []func(*checker){load(7), events(6, 7, 8)}, counts{Delivered: 3, Last: 8}},
		{"a load covers what was missed", []func(*checker){load(0), events(1), load(5), events(6)}, counts{Delivered: 2, Last: 6}},
		{"a lost event", []func(*checker){load(0), events(1, 3)}, counts{Delivered: 2, Last: 3, Lost: 1}},
		{"several lost events", []func(*checker){load(2), events(6, 8)}, counts{Delivered: 2, Last: 8, Lost: 4}},
		{"a load after a lost event", []func(*checker){load(0), events(1, 3), load(3)}, counts{Delivered: 2, Last: 3}},
		{"a load before the lost event", []func(*checker){load(0), events(1, 3), load(1)}, counts{Delivered: 2, Last: 3, Lost: 1, Disordered: 1}},
		{"a doubled event", []func(*checker){load(0), events(1, 2, 2)}, counts{Delivered: 3, Last: 2, Doubled: 1}},
		{"doubled, and loaded between", []func(*checker){load(0), events(1, 2), load(2), events(2)}, counts{Delivered: 3, Last: 2, Doubled: 1}},
		{"a late event", []func(*checker){load(0), events(1, 3, 2)}, counts{Delivered: 3, Last: 3, Disordered: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c checker
			for _, step := range test.steps {
				step(&c)
			}
			if diff := cmp.Diff(test.want, c.result()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
}
