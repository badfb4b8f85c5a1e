package room_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room/internal/record"
)

// Faults of the log of a simulated cluster.

// breakLog gives the log, the lists of notes, or the messages a fault that loses no record which
// was acknowledged and is not in the snapshot of a client.
func (s *clusterSim) breakLog() {
	w := s.store.Window()
	switch s.rnd.IntN(6) {
	case 0:
		if w.Last < w.First {
			return
		}
		before := w.First + s.rnd.Uint64N(w.Last-w.First+2)
		s.note("trim before %d of %d to %d", before, w.First, w.Last)
		s.store.Trim(before)
		s.disturbed = time.Now()
	case 1:
		s.frozen = !s.frozen
		s.note("lists are stale: %v", s.frozen)
		if s.frozen {
			s.store.FreezeLists()
		} else {
			s.store.ThawLists()
		}
		s.disturbed = time.Now()
	case 2:
		s.note("messages get lost")
		rnd, mu := rand.New(rand.NewPCG(s.rnd.Uint64(), 0)), new(sync.Mutex)
		s.store.DropMessages(func(string, string, []byte) bool {
			mu.Lock()
			defer mu.Unlock()
			return rnd.IntN(3) > 0
		})
	case 3:
		s.note("messages get through")
		s.store.DropMessages(nil)
	case 4:
		s.poison()
	case 5:
		s.note("copy the log")
		s.copied = s.store.Snapshot()
	}
}

// poison stores a record that nodes cannot read.
func (s *clusterSim) poison() {
	h := record.Header{Cluster: record.ClusterHash("test"), Version: record.Version, Plan: pick(s.rnd, append(s.plans, ""))}
	var data []byte
	switch n := s.rnd.IntN(5); n {
	case 0:
		data = []byte("not a record")
	case 1, 2: // of a newer version
		h.Kind, h.Version, h.Class = 77, record.Version+1, record.Class(n)
		data = record.Append(nil, h, []byte("what is this"))
	case 3:
		h.Cluster, h.Kind = record.ClusterHash("another"), record.KindRevoke
		data = record.Append(nil, h, nil)
	case 4: // damaged
		h.Kind = pick(s.rnd, []record.Kind{record.KindEvent, record.KindRevoke, record.KindDisconnect, record.KindResync, record.KindNode, record.KindEpoch})
		data = record.Append(nil, h, []byte("a body that is too short"))
		data[len(data)-1] ^= byte(s.rnd.IntN(2))
	}
	s.note("poison %d", s.store.Store(data))
}

// lose makes the log lose records that were acknowledged. At least one node has applied them and
// can see it: if none is left, the engine has to detect the loss by other means.
func (s *clusterSim) lose() {
	if !slices.ContainsFunc(s.nodes, func(n *clusterNode) bool { return !n.faults() && n.Ready() == nil }) || s.frozen {
		return
	}
	synctest.Wait()
	switch w := s.store.Window(); s.rnd.IntN(4) {
	case 0, 1:
		n := min(1+s.rnd.Uint64N(20), w.Last+1-w.First)
		s.note("lose %d of %d to %d", n, w.First, w.Last)
		s.store.LoseTail(int(n))
	case 2:
		if s.copied == nil {
			return
		}
		s.note("restore the copy of the log")
		s.store.Restore(s.copied)
	case 3:
		s.note("wipe the log")
		s.store.Wipe()
		s.copied = nil
	}
	s.disturbed = time.Now()
	time.Sleep(5 * time.Second) // the other steps find the new epoch
}
