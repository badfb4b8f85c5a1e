package natsengine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room/natsengine"
)

// The leader of several replicas may lack a record for a while after its election. Only if it still
// does after five seconds, the log has lost the record.
func TestMissingRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m natsengine.Mark
		m.Deliver(1, []byte("one"))
		judge := func(missing, want bool) {
			t.Helper()
			if got := m.Judge(missing, false); got != want {
				t.Errorf("lost: %v, want %v", got, want)
			}
		}
		judge(true, false)
		time.Sleep(4 * time.Second)
		judge(true, false)
		judge(false, false) // it has caught up
		time.Sleep(4 * time.Second)
		judge(true, false)
		time.Sleep(4 * time.Second)
		m.Deliver(2, []byte("two")) // another replica has more
		judge(true, false)
		time.Sleep(4 * time.Second)
		judge(true, false)
		time.Sleep(time.Second)
		judge(true, true)
		if !m.Judge(true, true) {
			t.Error("a single server has nothing to catch up")
		}
	})
}

// The checksums of the last 1,024 records are known, as far as they were delivered one after the
// other.
func TestKnownRecords(t *testing.T) {
	var m natsengine.Mark
	if m.Known(0) {
		t.Error("seq 0 is known")
	}
	for seq := uint64(10); seq <= 20; seq++ {
		m.Deliver(seq, nil)
	}
	for seq, want := range map[uint64]bool{0: false, 9: false, 10: true, 20: true, 21: false} {
		if got := m.Known(seq); got != want {
			t.Errorf("seq %d is known: %v", seq, got)
		}
	}
	m.Deliver(15, nil) // of a Tail that is behind
	for seq := uint64(21); seq <= 2000; seq++ {
		m.Deliver(seq, nil)
	}
	for seq, want := range map[uint64]bool{15: false, 976: false, 977: true, 2000: true} {
		if got := m.Known(seq); got != want {
			t.Errorf("seq %d is known: %v", seq, got)
		}
	}
}
