package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
)

func TestChainEvent(t *testing.T) {
	type event struct{ seq, prev uint64 }
	for _, test := range []struct {
		name   string
		events []event // after position 5
		want   []verdict
	}{
		{"in order", []event{{6, 5}, {7, 6}}, []verdict{inOrder, inOrder}},
		{"numbers may have holes", []event{{9, 5}, {20, 9}}, []verdict{inOrder, inOrder}},
		{"one is missing", []event{{6, 5}, {8, 7}, {9, 8}}, []verdict{inOrder, gap, inOrder}},
		{"the first is missing", []event{{7, 6}}, []verdict{gap}},
		{"twice", []event{{6, 5}, {6, 5}, {7, 6}}, []verdict{inOrder, duplicate, inOrder}},
		{"twice, later", []event{{6, 5}, {7, 6}, {8, 7}, {6, 5}}, []verdict{inOrder, inOrder, inOrder, duplicate}},
		{"two have changed places", []event{{7, 6}, {6, 5}, {8, 7}}, []verdict{gap, outOfOrder, inOrder}},
		{"from before the join", []event{{4, 3}, {6, 5}}, []verdict{outOfOrder, inOrder}},
		{"a predecessor that is too old", []event{{6, 5}, {7, 5}, {8, 0}}, []verdict{inOrder, inOrder, inOrder}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c chain
			c.Reset(protocol.Position{Epoch: "e", Seq: 5})
			var got []verdict
			for _, e := range test.events {
				got = append(got, c.event(protocol.Message{Seq: e.seq, Prev: e.prev}))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("verdicts on %v (-want +got):\n%s", test.events, diff)
			}
		})
	}
}

func TestChainJoined(t *testing.T) {
	at := func(epoch string, seq uint64) protocol.Position { return protocol.Position{Epoch: epoch, Seq: seq} }
	for _, test := range []struct {
		name      string
		before    protocol.Position
		recovered bool
		answer    protocol.Position
		want      arrival
	}{
		{"first", protocol.Position{}, false, at("e", 5), arrivedFirst},
		{"resumed", at("e", 5), true, at("e", 5), arrivedResumed},
		{"too late", at("e", 5), false, at("e", 500), arrivedToReload},
		{"another server", at("e", 5), false, at("f", 2), arrivedToReload},
		{"recovered, but with a gap", at("e", 5), true, at("e", 7), arrivedAstray},
	} {
		t.Run(test.name, func(t *testing.T) {
			var c chain
			c.Reset(test.before)
			if got := c.joined(protocol.JoinAnswer{Success: true, Position: test.answer, Recovered: test.recovered}); got != test.want {
				t.Errorf("joined(%v, recovered %t) = %v, want %v", test.answer, test.recovered, got, test.want)
			}
			if c.Position() != test.answer {
				t.Errorf("at %v, want %v", c.Position(), test.answer)
			}
		})
	}
}

// TestChainEpoch has another server use the same numbers again.
func TestChainEpoch(t *testing.T) {
	var c chain
	c.joined(protocol.JoinAnswer{Success: true, Position: protocol.Position{Epoch: "e", Seq: 0}})
	c.event(protocol.Message{Seq: 1, Prev: 0})
	c.event(protocol.Message{Seq: 2, Prev: 1})
	c.resync(protocol.Resync{Position: protocol.Position{Epoch: "f", Seq: 1}})
	if got := c.event(protocol.Message{Seq: 2, Prev: 1}); got != inOrder {
		t.Errorf("event of the new epoch: %v, want %v", got, inOrder)
	}
	if got := c.event(protocol.Message{Seq: 1, Prev: 0}); got != outOfOrder {
		t.Errorf("event from before the reload: %v, want %v", got, outOfOrder)
	}
}
