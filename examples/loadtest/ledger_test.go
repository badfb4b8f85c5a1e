package main

import (
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

func TestLedgerFind(t *testing.T) {
	l := newLedger(2)
	l.begin(1, time.Second)
	c := l.begin(1, 2*time.Second)
	id := l.mutation(c)
	if !protocol.ValidMutationID(id) {
		t.Errorf("mutation id %q is none", id)
	}
	for _, test := range []struct {
		name, mutationID, data string
		want                   bool
	}{
		{"mutation id", id, `{}`, true},
		{"in the data", "", `{"task":{"title":"` + id + ` xxx"}}`, true},
		{"at the end of the data", "", id, true},
		{"in the data, with another's mutation id", "other", `"` + id + `"`, true},
		{"another's", "other", `{"title":"x"}`, false},
		{"another run's", newLedger(2).mutation(c), `{}`, false},
		{"no such plan", l.mark + "-2-0", `{}`, false},
		{"no such change", l.mark + "-1-2", `{}`, false},
		{"none yet", l.mark + "-0-0", `{}`, false},
		{"no number", l.mark + "-1-", `{}`, false},
		{"negative", l.mark + "--1-0", `{}`, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := l.find(test.mutationID, []byte(test.data))
			if ok != test.want || ok && got != c {
				t.Errorf("find(%q, %s) = %v, %t, want %v, %t", test.mutationID, test.data, got, ok, c, test.want)
			}
		})
	}
}

func TestCoverage(t *testing.T) {
	const changes = 300
	l := newLedger(1)
	for range changes {
		l.settle(l.begin(0, 0), accepted)
	}
	var h coverage
	if got := h.missing(l.plans[0]); got != changes {
		t.Errorf("missing = %d before any record, want %d", got, changes)
	}
	for _, i := range []int{70, 5} { // out of order, and beyond the first word
		if !h.record(i) || h.record(i) {
			t.Errorf("record(%d) did not return true exactly once", i)
		}
	}
	for i := range changes {
		h.record(i)
	}
	if got := h.missing(l.plans[0]); got != 0 || len(h.bits) > 1 {
		t.Errorf("missing = %d after all records, with %d words", got, len(h.bits))
	}
	if h.record(3) {
		t.Error("record(3) again = true, want false")
	}

	refused := l.begin(0, 0)
	lost := l.begin(0, 0)
	l.begin(0, 0) // under way
	l.settle(refused, doubtful)
	l.settle(lost, accepted)
	if got := h.missing(l.plans[0]); got != 1 {
		t.Errorf("missing = %d, want 1: that which was accepted", got)
	}
	h.excuse(l.plans[0].next())
	after := l.begin(0, 0)
	l.settle(after, accepted)
	if got := h.missing(l.plans[0]); got != 1 {
		t.Errorf("missing after an excuse = %d, want 1: what came later", got)
	}
	if h.record(lost.index) || !h.record(after.index) || h.missing(l.plans[0]) != 0 {
		t.Error("what was excused counts, or what came later does not")
	}
}
