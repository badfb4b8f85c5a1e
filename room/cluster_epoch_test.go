package room_test

import (
	"testing"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// A node that is alone, and whose engine cannot know whether the log lost records, begins one epoch,
// not one after the other.
func TestLoneNodeBeginsOneEpoch(t *testing.T) {
	nodes(t, 1, room.Options{}, func(t *testing.T, m *enginetest.Memory, nodes []*node) {
		before, err := nodes[0].Position(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		m.LoseTail(1)
		time.Sleep(5 * time.Second)
		nodes[0].awaitReady(t)
		renewed, err := nodes[0].Position(t.Context(), "p")
		if err != nil || renewed.Epoch == before.Epoch {
			t.Errorf("epoch %q follows %q (%v), want another one", renewed.Epoch, before.Epoch, err)
		}
		time.Sleep(time.Minute)
		if after, err := nodes[0].Position(t.Context(), "p"); err != nil || after.Epoch != renewed.Epoch {
			t.Errorf("epoch %q follows %q (%v), want the same", after.Epoch, renewed.Epoch, err)
		}
	})
}
