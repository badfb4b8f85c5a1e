package room

import (
	"sync"

	"github.com/planrooms/planrooms/protocol"
)

// journalSize is how many memberships that have ended a hub remembers. A record has some 200 bytes
// and keeps the strings in it, so a full journal takes about 1 MB.
const journalSize = 4096

// journal remembers the memberships that ended last, of all plans, for Hub.Explain. Those that go
// on need no record: the members know. It grows with the number of records, and then replaces the
// oldest.
type journal struct {
	mu      sync.Mutex // guards the following; no other lock is taken under it
	records []ended    // a ring once it is full
	oldest  int        // the place of the oldest
	// The newest event that a membership without record may have been there for, and when the last
	// of these ended; 0: all have a record.
	forgottenSeq uint64
	forgottenAt  int64
}

// beginning is how a membership began.
type beginning struct {
	at  int64  // see Hub.clock
	seq uint64 // the position at which the member began: events up to it were not sent
}

// ended is a membership that has ended.
type ended struct {
	viewer
	plan, connection string
	begin            beginning
	recovered        bool   // it resumed from begin.seq
	at               int64  // see Hub.clock
	seq              uint64 // of the newest event of the plan then
	reason           LeaveReason
	code             protocol.CloseCode // of a connection that was closed; 0 for another reason
	progress         progress
	skipped          *skips // not changed any more; nil: none
}

func (j *journal) add(e ended) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.records) < journalSize {
		j.records = append(j.records, e)
		return
	}
	old := &j.records[j.oldest]
	j.forgottenSeq, j.forgottenAt = max(j.forgottenSeq, old.seq), old.at
	*old = e
	j.oldest = (j.oldest + 1) % len(j.records)
}

// of returns the records of a user and a plan, the newest first, and what has no record any more.
func (j *journal) of(planID, userID string) (list []ended, forgottenSeq uint64, forgottenAt int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.records) - 1; i >= 0; i-- {
		if e := &j.records[(j.oldest+i)%len(j.records)]; e.userID == userID && e.plan == planID {
			list = append(list, *e)
		}
	}
	return list, j.forgottenSeq, j.forgottenAt
}
