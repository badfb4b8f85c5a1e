package enginetest_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// After each kind of loss, a node that has delivered a lost record gets ErrEpoch until it opens the
// log again, also if new records have got the same seqs.
func TestLoss(t *testing.T) {
	for name, lose := range map[string]func(*enginetest.Memory, *enginetest.Snapshot){
		"tail":    func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.LoseTail(1) },
		"restore": (*enginetest.Memory).Restore,
		"wipe":    func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Wipe() },
		"corrupt": func(m *enginetest.Memory, _ *enginetest.Snapshot) {
			m.Corrupt(2, func(b []byte) []byte { return append(b, 'x') })
		},
	} {
		for _, again := range []int{0, 5} {
			t.Run(fmt.Sprint(name, again), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					m := enginetest.NewMemory(nil)
					a, before := open(t, m, "a", nil)
					put(t, a, "one")
					s := m.Snapshot()
					put(t, a, "two")
					l := follow(t, a, 0)
					l.want(t, "1 one", "2 two")

					lose(m, s)
					for i := range again {
						m.Store([]byte(fmt.Sprint(i)))
					}
					wantErr(t, <-l.err, room.ErrEpoch)
					wantErr(t, a.Tail(t.Context(), 2, nil), room.ErrEpoch)
					_, _, err := a.Beat(t.Context(), nil)
					wantErr(t, err, room.ErrEpoch)

					after, err := a.Open(t.Context(), room.OpenOptions{Cluster: "test", Node: "a2"}, nil)
					if err != nil {
						t.Fatal(err)
					}
					if name != "corrupt" && after.Complete && after.Window.Epoch == before.Window.Epoch {
						t.Errorf("Open has returned %+v after a loss", after)
					}
					if _, _, err := a.Beat(t.Context(), nil); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

// A node that has seen no record finds out by the epoch that the log is another one.
func TestWipeEmpty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		a, _ := open(t, m, "a", nil)
		m.Wipe()
		wantErr(t, a.Tail(t.Context(), 0, nil), room.ErrEpoch)
		_, _, err := a.Beat(t.Context(), nil)
		wantErr(t, err, room.ErrEpoch)
	})
}

// The IDs of lost records are lost, too: a repeated call stores the record.
func TestLostIDs(t *testing.T) {
	for name, lose := range map[string]func(*enginetest.Memory, *enginetest.Snapshot){
		"tail":    func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.LoseTail(1) },
		"restore": (*enginetest.Memory).Restore,
		"wipe":    func(m *enginetest.Memory, _ *enginetest.Snapshot) { m.Wipe() },
	} {
		t.Run(name, func(t *testing.T) {
			m := enginetest.NewMemory(nil)
			a, _ := open(t, m, "a", nil)
			s := m.Snapshot()
			put(t, a, "lost")
			lose(m, s)
			put(t, a, "other")
			if seq := put(t, a, "lost"); seq != 2 {
				t.Errorf("the record has seq %d, want 2", seq)
			}
		})
	}
}
