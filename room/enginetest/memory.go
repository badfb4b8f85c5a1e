package enginetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/planrooms/planrooms/room"
)

// Memory is the store of a cluster, in memory: a log, the notes of nodes, and messages between
// them. [Memory.Engine] returns the engine of a node. Nothing in it survives the process.
//
// Methods may be called from any goroutine. In a [testing/synctest] bubble, create the Memory
// inside the bubble. It is deterministic: it uses no random numbers, and no clock but [time.Now],
// for [room.DedupWindow] and the age of notes.
type Memory struct {
	mu      sync.Mutex // guards the following
	o       MemoryOptions
	cluster string            // "" until the first Open
	epoch   int               // its number
	epochs  int               // the highest number that was used
	gaps    bool              // acknowledged records of this epoch were lost
	first   uint64            // seq of records[0]
	records [][]byte          // without gaps
	grown   chan struct{}     // closed when the log changes
	ids     map[string]uint64 // seqs of records that were appended within room.DedupWindow
	recent  []usedID          // the same IDs, oldest first
	notes   map[string]note
	frozen  []room.Node // what Beat returns while lists are stale; nil: the notes
	inboxes map[string]*inbox
	drop    func(from, to string, msg []byte) bool          // see DropMessages
	delay   func(from, to string, msg []byte) time.Duration // see DelayMessages
}

// usedID is an ID of Append with the time of its use.
type usedID struct {
	id string
	at time.Time
}

// note is the last note of a node.
type note struct {
	room.Node
	at time.Time
}

// noteAge is the time after which a note is removed.
const noteAge = time.Hour

// MemoryOptions change what a [Memory] does. The zero value has the defaults.
type MemoryOptions struct {
	// MaxRecord is the size of the largest record, in bytes. Default: 1 MiB.
	MaxRecord int
	// Keep is how many records the log holds: Append removes the oldest ones beyond it. Default: it
	// keeps all.
	Keep int
}

// NewMemory returns an empty store. o may be nil. It panics if a field is negative.
func NewMemory(o *MemoryOptions) *Memory {
	m := &Memory{first: 1, epoch: 1, epochs: 1, ids: map[string]uint64{}, notes: map[string]note{}, inboxes: map[string]*inbox{}}
	if o != nil {
		m.o = *o
	}
	if m.o.MaxRecord < 0 || m.o.Keep < 0 {
		panic("enginetest: MemoryOptions.MaxRecord or MemoryOptions.Keep is negative")
	}
	if m.o.MaxRecord == 0 {
		m.o.MaxRecord = 1 << 20
	}
	m.grown = make(chan struct{})
	return m
}

var errForeign = errors.New("enginetest: the log belongs to another cluster")

// join registers a node. It returns the newest record's mark.
func (m *Memory) join(o room.OpenOptions, in *inbox) (room.Opened, mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cluster != "" && m.cluster != o.Cluster {
		return room.Opened{}, mark{}, fmt.Errorf("%w: %q, not %q", errForeign, m.cluster, o.Cluster)
	}
	m.cluster = o.Cluster
	m.inboxes[o.Node] = in
	newest := mark{}
	if len(m.records) > 0 {
		newest = markOf(m.lastLocked(), m.records[len(m.records)-1])
	}
	return room.Opened{Window: m.windowLocked(), MaxRecord: m.o.MaxRecord, Complete: !m.gaps}, newest, nil
}

// largest returns the size of the largest record.
func (m *Memory) largest() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.o.MaxRecord
}

// leave removes the inbox of a node that closes, or takes another name. Its note stays.
func (m *Memory) leave(name string, in *inbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.inboxes[name] == in {
		delete(m.inboxes, name)
	}
}

// append stores a record and returns its seq. One critical section finds an ID that was used and
// stores the record: in two, a repeated call could store it again.
func (m *Memory) append(id string, data []byte) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	for len(m.recent) > 0 && now.Sub(m.recent[0].at) > room.DedupWindow {
		delete(m.ids, m.recent[0].id)
		m.recent = m.recent[1:]
	}
	if seq, ok := m.ids[id]; ok {
		return seq
	}
	seq := m.storeLocked(data)
	m.ids[id] = seq
	m.recent = append(m.recent, usedID{id, now})
	return seq
}

// storeLocked stores a record at the end of the log.
func (m *Memory) storeLocked(data []byte) uint64 {
	m.records = append(m.records, data)
	seq := m.lastLocked()
	if m.o.Keep > 0 && len(m.records) > m.o.Keep {
		m.dropBeforeLocked(seq + 1 - uint64(m.o.Keep))
	}
	m.wakeLocked()
	return seq
}

// read appends records after a seq to batch, at most as many as fit in its capacity. If there are
// none, it returns a channel that is closed when the log has changed. It fails with room.ErrEpoch
// if the log is not that of the epoch or the marked record is not there or another one, and with
// room.TrimmedError if the record after the seq is gone.
func (m *Memory) read(epoch string, known mark, after uint64, batch []room.Record) ([]room.Record, <-chan struct{}, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkLocked(epoch, known); err != nil {
		return nil, nil, err
	}
	last := m.lastLocked()
	switch {
	case after > last: // the caller has seen a record that is gone
		return nil, nil, room.ErrEpoch
	case after+1 < m.first:
		return nil, nil, &room.TrimmedError{First: m.first}
	}
	for seq := after + 1; seq <= last && len(batch) < cap(batch); seq++ {
		batch = append(batch, room.Record{Seq: seq, Data: m.records[seq-m.first]})
	}
	return batch, m.grown, nil
}

// beat stores a note and returns all. One critical section stores and reads, so the list is not
// older than the note.
func (m *Memory) beat(epoch string, known mark, own room.Node) ([]room.Node, room.Window, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.checkLocked(epoch, known); err != nil {
		return nil, room.Window{}, err
	}
	now := time.Now()
	if own.Number > m.notes[own.Name].Number { // a delayed beat does not replace a newer one
		m.notes[own.Name] = note{own, now}
	}
	for name, n := range m.notes {
		if now.Sub(n.at) > noteAge {
			delete(m.notes, name)
		}
	}
	window := m.windowLocked()
	window.MaxRecord = m.o.MaxRecord
	if m.frozen != nil {
		return slices.Clone(m.frozen), window, nil
	}
	return m.listLocked(), window, nil
}

// checkLocked returns room.ErrEpoch if the log is not that of the epoch, or the marked record is
// not there or another one. A trimmed record is not a loss.
func (m *Memory) checkLocked(epoch string, known mark) error {
	switch {
	case epoch != m.epochLocked(), known.seq > m.lastLocked():
		return room.ErrEpoch
	case known.seq >= m.first && markOf(known.seq, m.records[known.seq-m.first]) != known:
		return room.ErrEpoch
	}
	return nil
}

// send puts a message into the inbox of a node, or into those of all others than from. Their order
// is always the same, for the functions that tests set.
func (m *Memory) send(from, to string, msg []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.inboxes)) {
		in := m.inboxes[name]
		if name == from || to != "" && name != to || m.drop != nil && m.drop(from, name, msg) {
			continue
		}
		if m.delay == nil {
			in.put(message{from, msg})
		} else {
			time.AfterFunc(m.delay(from, name, msg), func() { in.put(message{from, msg}) })
		}
	}
}

func (m *Memory) lastLocked() uint64 { return m.first + uint64(len(m.records)) - 1 }

func (m *Memory) epochLocked() string { return fmt.Sprintf("memory-%d", m.epoch) }

func (m *Memory) windowLocked() room.Window {
	return room.Window{Epoch: m.epochLocked(), First: m.first, Last: m.lastLocked()}
}

// listLocked returns all notes, ordered by name.
func (m *Memory) listLocked() []room.Node {
	list := make([]room.Node, 0, len(m.notes))
	for _, n := range m.notes {
		list = append(list, n.Node)
	}
	slices.SortFunc(list, func(a, b room.Node) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// wakeLocked wakes the Tails that wait for a change of the log.
func (m *Memory) wakeLocked() {
	close(m.grown)
	m.grown = make(chan struct{})
}

// dropBeforeLocked removes the records before a seq.
func (m *Memory) dropBeforeLocked(seq uint64) {
	if seq > m.first {
		n := min(seq, m.lastLocked()+1) - m.first
		clear(m.records[:n])
		m.records = m.records[n:]
		m.first += n
	}
}
