package enginetest

import (
	"slices"
	"time"

	"github.com/planrooms/planrooms/room"
)

// Window returns the window of the log.
func (m *Memory) Window() room.Window {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.windowLocked()
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

// ForgetNotes removes the notes, as a store does that keeps them in memory and restarts.
func (m *Memory) ForgetNotes() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.notes)
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

// SetMaxRecord changes the size of the largest record, in bytes, as an operator does who starts the
// server again with another limit. The records that are stored stay.
func (m *Memory) SetMaxRecord(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.o.MaxRecord = n
}

// DropMessages sets a function that decides which messages are lost. It is called for each
// receiver, with its name, and must not call the Memory or an engine. nil: none is lost.
func (m *Memory) DropMessages(drop func(from, to string, msg []byte) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop = drop
}

// DelayMessages sets a function that returns how long a message takes, so that messages overtake
// each other. It is called like that of DropMessages. nil: they arrive at once, in order.
func (m *Memory) DelayMessages(delay func(from, to string, msg []byte) time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delay = delay
}
