package natsengine

import (
	"hash/crc32"
	"sync"
	"sync/atomic"
	"time"
)

// point is a record: its seq, and what identifies its data if that is known.
type point struct {
	seq   uint64
	print print
	known bool
}

// print identifies the data of a record: its checksum and size.
type print struct{ sum, size uint32 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func printOf(data []byte) print {
	return print{crc32.Checksum(data, castagnoli), uint32(len(data))}
}

// mark is the last record of the log that a session has delivered, and the last one that it has
// stored: a log that ends before it has lost it, even if no tail has delivered it yet.
type mark struct {
	seq atomic.Uint64 // of p, to read without the lock

	mu     sync.Mutex // guards what follows
	p      point
	first  uint64        // of the records whose prints are known
	prints [recent]print // of the last records, at seq%recent
	stored point         // the last record that the leader has acknowledged to this session
	// absent: since when the leader says that the log ends before p or stored; zero if it does not.
	absent time.Time
}

// recent is the number of records whose prints a session keeps. A log that ends before the last
// record that was delivered, and then has got other records, differs in one of them.
const recent = 1024

// last returns the seq of the last record that was delivered.
func (m *mark) last() uint64 { return m.seq.Load() }

// point returns the last record that was delivered.
func (m *mark) point() point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.p
}

// deliver stores the prints of records that were delivered; the last one has the seq last.
func (m *mark) deliver(last uint64, prints []print) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.absent = time.Time{}
	for i, p := range prints {
		seq := last - uint64(len(prints)-1-i)
		if seq <= m.p.seq {
			continue // another tail has delivered it
		}
		if seq != m.p.seq+1 || !m.p.known {
			m.first = seq
		}
		m.prints[seq%recent] = p
		m.p = point{seq, p, true}
	}
	m.seq.Store(m.p.seq)
}

// acknowledge takes a record that the leader has acknowledged.
func (m *mark) acknowledge(p point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.seq > m.stored.seq {
		m.stored = p
	}
}

// acknowledged returns the last record that the leader has acknowledged to this session.
func (m *mark) acknowledged() point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stored
}

// at returns the point of a record that was delivered, without its print if it was not one of the
// last.
func (m *mark) at(seq uint64) point {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.p.known && seq >= m.first && seq <= m.p.seq && m.p.seq-seq < recent {
		return point{seq, m.prints[seq%recent], true}
	}
	return point{seq: seq}
}

// finding is what the leader says about a record that was delivered.
type finding int

const (
	same    finding = iota // or the limits have removed it, or it is damaged
	another                // its seq was given twice
	missing                // the log ends before it
)

// absence is how long a leader of several replicas may say that the log ends before a record that
// was delivered. A new leader says so until it has applied all that its predecessor has committed.
const absence = 5 * time.Second

// judge takes what the leader has said about p, and reports whether the log has lost p. The server
// of a log with a single replica has nothing left to apply.
func (m *mark) judge(f finding, single bool) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case f == another:
		return true
	case f == same:
		m.absent = time.Time{}
		return false
	case single:
		return true
	case m.absent.IsZero():
		m.absent = time.Now()
	}
	return time.Since(m.absent) >= absence
}
