package tenure_test

import (
	"slices"
	"testing"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

// cluster is the view of node "own", with a ttl of 10, of the nodes a and b.
type cluster struct {
	t *testing.T
	tenure.Peers
}

// newCluster returns a view in which each of the nodes has a record of tenure 1, at the seqs 1, 2,
// ..., and has stored note 1, as the list at time 0 shows.
func newCluster(t *testing.T, names ...string) *cluster {
	c := &cluster{t, tenure.NewPeers(10)}
	c.list(0, 0)
	var nodes []tenure.Listed
	for i, name := range names {
		c.Recorded(name, 1, uint64(i+1))
		nodes = append(nodes, live(name, 1))
	}
	c.list(0, 0, nodes...)
	return c
}

// live is the note of a node in tenure 1.
func live(name string, number uint64) tenure.Listed {
	return tenure.Listed{Name: name, Number: number, Tenure: 1}
}

func (c *cluster) list(asked, answered int64, nodes ...tenure.Listed) {
	c.Listed(tenure.List{Asked: asked, Answered: answered, Complete: true, Judge: true, Nodes: nodes})
}

// lists brings a list each tick.
func (c *cluster) lists(from, to int64, nodes ...tenure.Listed) {
	for t := from; t <= to; t++ {
		c.list(t, t, nodes...)
	}
}

func (c *cluster) wantAwaited(seq uint64, want ...string) {
	c.t.Helper()
	if got := c.Awaited(seq, "own"); !slices.Equal(got, want) {
		c.t.Fatalf("awaited for record %d: %q, want %q", seq, got, want)
	}
}

func (c *cluster) wantPresent(want ...string) {
	c.t.Helper()
	if got := c.Present(); !slices.Equal(got, want) {
		c.t.Fatalf("present: %q, want %q", got, want)
	}
}

func (c *cluster) wantEnded(name string, want bool) {
	c.t.Helper()
	if got := c.Ended(name); got != want {
		c.t.Fatalf("%s has ended: %v, want %v", name, got, want)
	}
}

func TestAwaited(t *testing.T) {
	c := newCluster(t, "b", "a", "own")
	c.wantAwaited(1)
	c.wantAwaited(2, "b") // a's record follows that of b
	c.wantAwaited(9, "a", "b")
	c.Recorded("a", 1, 12) // again
	c.wantAwaited(9, "a", "b")
	c.Recorded("a", 2, 13) // a has applied record 9 before
	c.wantAwaited(9, "b")
	c.wantAwaited(14, "a", "b")
	c.Silent("a", 1)
	c.wantAwaited(14, "a", "b")
	c.Silent("a", 2)
	c.wantAwaited(14, "b")
	c.Listed(tenure.List{Nodes: []tenure.Listed{{Name: "a", Tenure: 1, Shut: true}}}) // an old note
	c.wantAwaited(14, "b")
	c.Recorded("a", 1, 15) // stored late
	c.wantAwaited(16, "b")
	c.Recorded("b", 2, 17)
	c.Recorded("b", 1, 19) // stored late: its gate is open by record 17
	c.wantAwaited(18, "b")
}

func TestSilentNode(t *testing.T) {
	c := newCluster(t, "a", "own")
	c.list(1, 3, live("a", 2), live("own", 2))
	for now := int64(4); now < 13; now++ {
		c.list(now, now+3, live("a", 2), live("own", uint64(now)))
		c.wantEnded("a", false) // the ttl counts from the answer of the first list to the question of this one
	}
	c.list(13, 13, live("a", 2), live("own", 13))
	c.wantEnded("a", true)
	c.wantEnded("own", false)
	c.wantAwaited(9)
	c.wantPresent("own")

	c.list(14, 14, live("a", 3), live("own", 14)) // a beat that was stored late
	c.Recorded("a", 1, 20)                        // as was this
	c.wantEnded("a", true)
	c.wantPresent("own")
	c.Recorded("a", 2, 21)
	c.wantEnded("a", false)
	c.wantPresent("a", "own")
}

func TestListsBeforeARecordDoNotCount(t *testing.T) {
	c := newCluster(t, "a")
	c.lists(1, 9, live("a", 1))
	c.Recorded("a", 2, 5)
	c.lists(10, 19, live("a", 1))
	c.wantEnded("a", false)
	c.lists(20, 20, live("a", 1))
	c.wantEnded("a", true)
}

func TestWhatNodesSay(t *testing.T) {
	for _, tt := range []struct {
		name  string
		note  tenure.Listed
		ended bool
	}{
		{"the tenure before has ended", tenure.Listed{Tenure: 1, Shut: true}, false},
		{"in a tenure", tenure.Listed{Tenure: 2}, false},
		{"it has ended", tenure.Listed{Tenure: 2, Shut: true}, true},
		{"shutting down", tenure.Listed{Tenure: 2, Silent: true}, true},
		{"in the next tenure", tenure.Listed{Tenure: 3}, true},
		{"which has ended", tenure.Listed{Tenure: 3, Shut: true}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(t)
			c.Recorded("a", 2, 1)
			tt.note.Name, tt.note.Number = "a", 1
			c.Listed(tenure.List{Nodes: []tenure.Listed{tt.note}}) // true in any list
			c.wantEnded("a", tt.ended)
			c.wantPresent("a") // its connections may come back elsewhere
			c.Recorded("a", 4, 2)
			c.wantEnded("a", false)
		})
	}
}

func TestStaleLists(t *testing.T) {
	c := newCluster(t, "a")
	for now := int64(1); now < 100; now++ {
		c.Listed(tenure.List{Asked: now, Answered: now, Judge: true, Nodes: []tenure.Listed{live("a", 1)}})
	}
	c.wantEnded("a", false)
}

func TestAbsentNode(t *testing.T) {
	c := newCluster(t, "a", "b")
	c.lists(1, 50, live("b", 1)) // b stores no more notes
	c.wantAwaited(9, "a")
	c.list(51, 51, live("b", 1))
	c.wantAwaited(9)

	c = newCluster(t, "a")
	c.lists(1, 9, live("a", 1))
	c.list(10, 10)
	c.lists(11, 20, live("a", 1))
	c.wantEnded("a", false) // the time counts from when it is there again
	c.list(21, 21, live("a", 1))
	c.wantEnded("a", true)
}

func TestNoVerdictWithoutATenure(t *testing.T) {
	c := newCluster(t, "a")
	c.lists(1, 9, live("a", 1))
	c.Listed(tenure.List{Asked: 10, Answered: 10, Complete: true, Nodes: []tenure.Listed{live("a", 1)}})
	c.wantEnded("a", false)
	c.lists(11, 20, live("a", 1))
	c.wantEnded("a", false) // lists of before do not count
	c.list(21, 21, live("a", 1))
	c.wantEnded("a", true)
}

// While a store does not answer, no node can beat.
func TestStoreThatWasAway(t *testing.T) {
	c := newCluster(t, "a", "b")
	c.list(1, 1, live("a", 2), live("b", 2))
	c.list(8, 9, live("a", 2), live("b", 2)) // 8 is how long a tenure lasts
	c.lists(10, 18, live("a", 2), live("b", 2))
	c.wantPresent("a", "b")
	c.list(19, 19, live("a", 2), live("b", 3))
	c.wantPresent("b")
}

func TestStoreThatLostNotes(t *testing.T) {
	c := newCluster(t, "a", "own")
	c.lists(1, 9, live("a", 5), live("own", 9))
	c.list(10, 10, live("a", 5), live("own", 1))
	c.lists(11, 19, live("a", 5), live("own", 2))
	c.wantEnded("a", false)
	c.list(20, 20, live("a", 5), live("own", 3))
	c.wantEnded("a", true)
}

func TestFirstList(t *testing.T) {
	c := &cluster{t, tenure.NewPeers(10)}
	c.Recorded("known", 1, 20)
	c.wantAwaited(30, tenure.Unlisted, "known")
	c.Listed(tenure.List{Nodes: []tenure.Listed{live("a", 1)}}) // not complete
	c.wantAwaited(30, tenure.Unlisted, "known")
	c.list(0, 0, live("a", 7), live("own", 1), live("known", 1),
		tenure.Listed{Name: "shut", Number: 1, Tenure: 1, Shut: true},
		tenure.Listed{Name: "silent", Number: 1, Tenure: 1, Silent: true},
		tenure.Listed{Name: "young", Number: 1})
	c.wantAwaited(30, "a", "known") // the record of a was trimmed
	c.wantAwaited(10, "a", "known") // as may have been an earlier one of known
	c.wantPresent("known")
	c.list(1, 1, live("a", 8), live("new", 1)) // the record of new is still to come
	c.wantAwaited(30, "a", "known")
	c.Recorded("a", 1, 31) // again
	c.wantAwaited(30, "a", "known")
	c.Recorded("a", 2, 32)
	c.wantAwaited(30, "known")
}

func TestReset(t *testing.T) {
	c := newCluster(t, "a", "b")
	c.Reset()
	c.Recorded("b", 1, 1)
	c.wantAwaited(9, tenure.Unlisted, "b")
	c.list(1, 2, live("a", 1), live("b", 1))
	for now := int64(3); now < 12; now++ {
		c.list(now, now+5, live("a", 1), live("b", uint64(now)))
		c.wantAwaited(9, tenure.Unlisted, "b")
	}
	c.list(12, 12, live("b", 12))
	c.wantAwaited(9, "b")
	c.wantPresent("b")
}

func TestDoubt(t *testing.T) {
	c := newCluster(t, "a")
	c.Doubt()
	c.wantAwaited(9, tenure.Unlisted, "a")
	for now := int64(1); now <= 11; now++ {
		c.wantAwaited(9, tenure.Unlisted, "a")
		c.list(now, now, live("a", uint64(now+1)))
	}
	c.wantAwaited(9, "a")
}

func TestAlone(t *testing.T) {
	c := &cluster{t, tenure.NewPeers(10)}
	c.Alone("own")
	c.Recorded("before", 3, 1)
	c.Recorded("own", 1, 2)
	c.wantAwaited(9)
	c.wantPresent("own")
	c.wantEnded("before", true)
	c.wantEnded("own", false)
	c.Reset()
	c.wantAwaited(9)
}

func TestForget(t *testing.T) {
	c := newCluster(t, "a", "b")
	c.lists(1, 10, live("b", 1))
	c.Forget(10)
	c.wantEnded("b", false) // unknown
	c.wantAwaited(9, "a")   // not gone: its gate may be open
	c.Recorded("b", 2, 10)
	c.lists(11, 60, live("b", 1))
	c.Forget(10)
	c.wantEnded("b", true) // its record is in the window
	c.wantEnded("a", false)
	c.wantAwaited(30)
}

func TestUnknownNode(t *testing.T) {
	c := newCluster(t)
	c.Recorded("a", 0, 1)
	c.Silent("b", 1)
	c.wantEnded("a", false)
	c.wantEnded("b", false)
	c.wantPresent()
	c.Recorded("b", 1, 2) // stored late
	c.wantAwaited(9, "b")
}
