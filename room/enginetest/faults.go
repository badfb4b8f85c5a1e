package enginetest

import (
	"slices"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

// Pause stops the node: its calls do not return, even if their context ends, and it gets no records
// or messages, as if its process was stopped. Resume ends that; the messages that were sent
// meanwhile then arrive. Close works as ever, and ends the calls.
func (e *MemoryEngine) Pause() { e.link.change(func(f *faults) { f.paused = true }) }

// Resume ends the effect of Pause.
func (e *MemoryEngine) Resume() { e.link.change(func(f *faults) { f.paused = false }) }

// Cut cuts the connection of the node: what it sends is lost, and so is what is sent to it. Open,
// Beat and Send fail. Append repeats its attempts until its context ends, then it fails with
// [room.ErrUncertain]. Tail waits.
func (e *MemoryEngine) Cut() { e.link.change(func(f *faults) { f.requests, f.answers = true, true }) }

// CutAnswers is like Cut, but the store gets what the node sends: the record of an Append and the
// note of a Beat are stored, although the call fails.
func (e *MemoryEngine) CutAnswers() {
	e.link.change(func(f *faults) { f.requests, f.answers = false, true })
}

// Heal ends the effect of Cut and CutAnswers.
func (e *MemoryEngine) Heal() {
	e.link.change(func(f *faults) { f.requests, f.answers = false, false })
}

// HoldTail holds records back, so that the node lags. All other calls work. ReleaseTail ends that.
func (e *MemoryEngine) HoldTail() { e.link.change(func(f *faults) { f.tail = true }) }

// ReleaseTail ends the effect of HoldTail.
func (e *MemoryEngine) ReleaseTail() { e.link.change(func(f *faults) { f.tail = false }) }

// SetDelay sets how long the requests of later calls and their answers take. Records and messages
// are not delayed.
func (e *MemoryEngine) SetDelay(request, answer time.Duration) {
	e.link.change(func(f *faults) { f.toStore, f.toNode = request, answer })
}

// Stall holds up the record of the next Append between the node and the store.
func (e *MemoryEngine) Stall() *Stalled {
	s := &Stalled{held: make(chan struct{}), stored: make(chan uint64, 1)}
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	e.link.stall = s
	return s
}

// Stalled is a record on its way to the store. The Append that has sent it waits for its answer
// until its context ends, and then fails with [room.ErrUncertain]. A Stalled that is not delivered
// is lost.
type Stalled struct {
	held   chan struct{} // closed when an Append has come
	stored chan uint64

	once  sync.Once
	store func() uint64 // set before held is closed
}

func (s *Stalled) hold(store func() uint64) {
	s.store = store
	close(s.held)
}

// Wait waits until an Append has sent the record.
func (s *Stalled) Wait() { <-s.held }

// Deliver waits for the record and stores it, whether the Append still waits for it or not. Further
// calls do nothing.
func (s *Stalled) Deliver() {
	s.Wait()
	s.once.Do(func() { s.stored <- s.store() })
}

// Trim removes the records before a seq.
func (m *Memory) Trim(before uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropBeforeLocked(before)
	m.wakeLocked()
}

// Hole damages the log: the record with a seq is gone. The log begins after it, since an engine
// delivers nothing that is before a gap.
func (m *Memory) Hole(seq uint64) { m.Trim(seq + 1) }

// Corrupt changes the data of a record, if the log holds it. change gets a copy.
func (m *Memory) Corrupt(seq uint64, change func(data []byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if seq >= m.first && seq <= m.lastLocked() {
		m.records[seq-m.first] = change(slices.Clone(m.records[seq-m.first]))
		m.wakeLocked()
	}
}

// Store appends a record that no node of the cluster has sent, and returns its seq.
func (m *Memory) Store(data []byte) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.storeLocked(data)
}

// LoseTail removes the last n records, as a server does that restarts without having written them
// to its disk. The seqs will be given again. The epoch stays: engines have to detect the loss.
func (m *Memory) LoseTail(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.truncateLocked(len(m.records) - n)
}

// truncateLocked removes the records after the first n, and what was known of their IDs.
func (m *Memory) truncateLocked(n int) {
	n = max(n, 0)
	clear(m.records[n:])
	m.records = m.records[:n]
	last := m.lastLocked()
	m.recent = slices.DeleteFunc(m.recent, func(u usedID) bool {
		gone := m.ids[u.id] > last
		if gone {
			delete(m.ids, u.id)
		}
		return gone
	})
	m.gaps = true
	m.wakeLocked()
}

// Snapshot returns a copy of the log and the notes, for Restore.
func (m *Memory) Snapshot() *Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Snapshot{m.epoch, m.first, slices.Clone(m.records), m.listLocked()}
}

// Snapshot is a copy of a [Memory].
type Snapshot struct {
	epoch   int
	first   uint64
	records [][]byte
	notes   []room.Node
}

// Restore puts back the log and the notes of a snapshot, as an operator does who restores a copy of
// the disk. The epoch is that of the snapshot, and IDs of Append are forgotten.
func (m *Memory) Restore(s *Snapshot) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch, m.first, m.records = s.epoch, s.first, slices.Clone(s.records)
	m.notes = map[string]note{}
	for _, n := range s.notes {
		m.notes[n.Name] = note{n, time.Now()}
	}
	clear(m.ids)
	m.recent, m.gaps = nil, true
	m.wakeLocked()
}

// Wipe removes everything, as a server does that restarts without its disk. The log begins at seq 1
// in a new epoch.
func (m *Memory) Wipe() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cluster, m.first, m.records, m.recent, m.gaps = "", 1, nil, nil, false
	m.epochs++
	m.epoch = m.epochs
	clear(m.ids)
	clear(m.notes)
	m.wakeLocked()
}

// FreezeLists makes Beat return the notes as they are now, without the one that it has stored,
// until ThawLists is called.
func (m *Memory) FreezeLists() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frozen = m.listLocked()
}

// ThawLists ends the effect of FreezeLists.
func (m *Memory) ThawLists() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.frozen = nil
}

// DropMessages sets a function that decides which messages are lost. It is called for each
// receiver, with its name, and must not call the Memory or an engine. nil: none is lost.
func (m *Memory) DropMessages(drop func(from, to string, msg []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop = drop
}
