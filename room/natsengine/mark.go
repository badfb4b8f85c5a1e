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
	sum   fingerprint
	known bool
}

// fingerprint identifies the data of a record: its checksum and size.
type fingerprint struct{ sum, size uint32 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func fingerprintOf(data []byte) fingerprint {
	return fingerprint{crc32.Checksum(data, castagnoli), uint32(len(data))}
}

// mark is the last record of the log that a session has delivered.
type mark struct {
	seq atomic.Uint64 // of p, to read without the lock

	mu    sync.Mutex // guards what follows
	p     point
	first uint64              // of the records whose fingerprints are known
	sums  [recent]fingerprint // of the last records, at seq%recent
	// absent: since when the leader says that the log ends before p or an acknowledged record; zero
	// if it does not.
	absent time.Time
}

// recent is the number of records whose fingerprints a session keeps. A log that ends before the
// last record that was delivered, and then has got other records, differs in one of them.
const recent = 1024

// last returns the seq of the last record that was delivered.
func (m *mark) last() uint64 { return m.seq.Load() }

// point returns the last record that was delivered.
func (m *mark) point() point {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.p
}

// deliver stores the fingerprints of records that were delivered; the last one has the seq last.
func (m *mark) deliver(last uint64, sums []fingerprint) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.absent = time.Time{}
	for i, p := range sums {
		seq := last - uint64(len(sums)-1-i)
		if seq <= m.p.seq {
			continue // another tail has delivered it
		}
		if seq != m.p.seq+1 || !m.p.known {
			m.first = seq
		}
		m.sums[seq%recent] = p
		m.p = point{seq, p, true}
	}
	m.seq.Store(m.p.seq)
}

// at returns the point of a record that was delivered, without its fingerprint if it was not one of
// the last.
func (m *mark) at(seq uint64) point {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.p.known && seq >= m.first && seq <= m.p.seq && m.p.seq-seq < recent {
		return point{seq, m.sums[seq%recent], true}
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

// acks is the last record that the leader has acknowledged: a log that ends before it has lost it,
// even if no tail has delivered it yet. Sessions of the same log share it, since an Append may
// begin during one and end during the next.
type acks struct {
	mu sync.Mutex // guards p
	p  point
}

// add takes a record that the leader has acknowledged.
func (a *acks) add(p point) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p.seq > a.p.seq {
		a.p = p
	}
}

// last returns the last record that the leader has acknowledged.
func (a *acks) last() point {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.p
}
