package room_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/roomtest"
)

func TestSince(t *testing.T) {
	tests := []struct {
		name  string
		since func(own []uint64, foreign uint64, epoch string) *protocol.Position
		want  []int // the events replayed; nil: not recovered
	}{
		{"none", func([]uint64, uint64, string) *protocol.Position { return nil }, nil},
		{"the end", func(own []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: own[9]}
		}, []int{}},
		{"one behind", func(own []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: own[8]}
		}, []int{9}},
		{"the whole history behind", func(own []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: own[5]}
		}, []int{6, 7, 8, 9}},
		{"one more behind", func(own []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: own[4]}
		}, nil},
		{"zero", func(_ []uint64, _ uint64, epoch string) *protocol.Position { return &protocol.Position{Epoch: epoch} }, nil},
		{"ahead", func(own []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: own[9] + 1}
		}, nil},
		{"far ahead", func(_ []uint64, _ uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: 1<<53 - 1}
		}, nil},
		{"a position of another plan", func(_ []uint64, foreign uint64, epoch string) *protocol.Position {
			return &protocol.Position{Epoch: epoch, Seq: foreign}
		}, nil},
		{"another epoch", func(own []uint64, _ uint64, _ string) *protocol.Position {
			return &protocol.Position{Epoch: "other", Seq: own[9]}
		}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, &room.Options{HistoryEvents: 4}, func(t *testing.T, h *room.Hub) {
				stay := roomtest.Join(t, h, "bob", "p")
				var own []uint64
				var foreign uint64
				for n := range 10 {
					update(t, h, "p", n)
					own = append(own, wantEvent(t, stay, n).Seq)
					update(t, h, "q", n)
					if n == 7 {
						p, err := h.Position(t.Context(), "q")
						if err != nil {
							t.Fatalf("Position: %v", err)
						}
						foreign = p.Seq
					}
				}
				m := connect(t, h, "alice", "")
				since := test.since(own, foreign, stay.Position().Epoch)
				m.Join("p", since)
				if m.Joined.Recovered != (test.want != nil) {
					t.Fatalf("recovered %v from %v", m.Joined.Recovered, since)
				}
				position := stay.Position()
				if test.want != nil {
					position = *since
				}
				if diff := cmp.Diff(position, m.Joined.Position); diff != "" {
					t.Errorf("position (-want +got):\n%s", diff)
				}
				for _, n := range test.want {
					wantEvent(t, m, n)
				}
				update(t, h, "p", 10)
				wantEvent(t, m, 10)
				wantReceived(t, m)
			})
		})
	}
}

func TestSinceNull(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *room.Hub) {
		m := connect(t, h, "alice", "")
		m.Send(`{"type":"join-plan","planId":"p","since":null}`)
		var answer protocol.JoinAnswer
		mustDecode(t, m.NextMessage(), &answer)
		if !answer.Success || answer.Recovered {
			t.Errorf("answer %+v, want a join without a recovery", answer)
		}
	})
}
