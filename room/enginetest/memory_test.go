package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// open opens an engine of a memory. It is closed with the test. receive may be nil.
func open(t *testing.T, m *enginetest.Memory, name string, receive func(from string, msg []byte)) (*enginetest.MemoryEngine, room.Opened) {
	t.Helper()
	e := m.Engine()
	t.Cleanup(func() { _ = e.Close() })
	if receive == nil {
		receive = func(string, []byte) {}
	}
	opened, err := e.Open(t.Context(), room.OpenOptions{Cluster: "test", Node: name}, receive)
	if err != nil {
		t.Fatal(err)
	}
	return e, opened
}

// put appends a record whose ID and data are the text.
func put(t *testing.T, e room.Engine, text string) uint64 {
	t.Helper()
	seq, err := e.Append(t.Context(), text, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// tail is a running Tail. It ends with the test.
type tail struct {
	records []string // readable once the bubble waits
	err     chan error
}

func follow(t *testing.T, e room.Engine, after uint64) *tail {
	ctx, cancel := context.WithCancel(context.Background())
	l := &tail{err: make(chan error, 1)}
	go func() {
		l.err <- e.Tail(ctx, after, func(rs []room.Record) {
			for _, r := range rs {
				l.records = append(l.records, fmt.Sprintf("%d %s", r.Seq, r.Data))
			}
		})
	}()
	t.Cleanup(cancel)
	return l
}

// want checks what a Tail has delivered by now.
func (l *tail) want(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	if !slices.Equal(l.records, want) {
		t.Errorf("Tail has delivered %q, want %q", l.records, want)
	}
}

func wantErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// While a node is paused, its calls do not return, even after their contexts have ended, and it
// receives nothing.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		var got []string
		a, _ := open(t, m, "a", nil)
		b, _ := open(t, m, "b", func(from string, msg []byte) { got = append(got, from+" "+string(msg)) })
		l := follow(t, b, 0)
		put(t, a, "one")
		l.want(t, "1 one")

		b.Pause()
		put(t, a, "two")
		if err := a.Send(t.Context(), "", []byte("hello")); err != nil {
			t.Error(err)
		}
		returned := make(chan error, 1)
		go func() {
			_, _, err := b.Beat(within(t, time.Second), nil)
			returned <- err
		}()
		time.Sleep(time.Minute)
		l.want(t, "1 one")
		select {
		case err := <-returned:
			t.Errorf("Beat has returned %v", err)
		default:
		}
		if len(got) > 0 {
			t.Errorf("received %q", got)
		}

		b.Resume()
		wantErr(t, <-returned, context.DeadlineExceeded)
		l.want(t, "1 one", "2 two")
		if want := []string{"a hello"}; !slices.Equal(got, want) {
			t.Errorf("received %q, want %q", got, want)
		}
	})
}

func TestCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		received := 0
		a, _ := open(t, m, "a", nil)
		b, _ := open(t, m, "b", func(string, []byte) { received++ })
		l := follow(t, b, 0)

		b.Cut()
		if err := a.Send(t.Context(), "b", nil); err != nil {
			t.Error(err)
		}
		put(t, a, "one")
		if _, _, err := b.Beat(t.Context(), nil); err == nil {
			t.Error("Beat has not failed")
		}
		_, err := b.Append(within(t, time.Second), "lost", nil)
		wantErr(t, err, room.ErrUncertain)
		appended := make(chan error, 1)
		go func() {
			_, err := b.Append(within(t, time.Hour), "two", []byte("two"))
			appended <- err
		}()
		l.want(t)

		b.Heal()
		if err := <-appended; err != nil {
			t.Error(err)
		}
		l.want(t, "1 one", "2 two")
		if received != 0 {
			t.Error("received a message that was sent during the cut")
		}

		// Without answers: the record is stored, and a repeated call finds it.
		b.CutAnswers()
		_, err = b.Append(within(t, time.Second), "three", []byte("three"))
		wantErr(t, err, room.ErrUncertain)
		b.Heal()
		if seq := put(t, b, "three"); seq != 3 {
			t.Errorf("the record has seq %d", seq)
		}
		l.want(t, "1 one", "2 two", "3 three")
	})
}

// A stalled record is stored after its Append has failed, behind newer ones.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		a, _ := open(t, m, "a", nil)
		l := follow(t, a, 0)
		s := a.Stall()
		_, err := a.Append(within(t, time.Second), "old", []byte("old"))
		wantErr(t, err, room.ErrUncertain)
		put(t, a, "new")
		s.Deliver()
		l.want(t, "1 new", "2 old")

		s = a.Stall()
		go s.Deliver()
		if seq := put(t, a, "in time"); seq != 3 {
			t.Errorf("the record has seq %d", seq)
		}
	})
}

func TestTrim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(&enginetest.MemoryOptions{Keep: 5})
		a, _ := open(t, m, "a", nil)
		for i := range 7 {
			put(t, a, fmt.Sprint(i))
		}
		wantTrimmed(t, a, 1, 3)
		m.Hole(4)
		wantTrimmed(t, a, 2, 5)
		m.Trim(100)
		wantTrimmed(t, a, 6, 8)
		if seq := put(t, a, "next"); seq != 8 {
			t.Errorf("the record has seq %d", seq)
		}
	})
}

func TestMemoryOptions(t *testing.T) {
	for _, o := range []enginetest.MemoryOptions{{MaxRecord: -1}, {Keep: -1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewMemory takes %+v", o)
				}
			}()
			enginetest.NewMemory(&o)
		}()
	}
}

func wantTrimmed(t *testing.T, e room.Engine, after, first uint64) {
	t.Helper()
	var trimmed *room.TrimmedError
	err := e.Tail(t.Context(), after, func([]room.Record) {})
	if !errors.As(err, &trimmed) || trimmed.First != first {
		t.Errorf("Tail after %d has returned %v, want a TrimmedError with %d", after, err, first)
	}
}

func TestFreezeLists(t *testing.T) {
	m := enginetest.NewMemory(nil)
	a, _ := open(t, m, "a", nil)
	beat := func() string {
		nodes, _, err := a.Beat(t.Context(), []byte("note"))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(len(nodes), nodes[0].Name, nodes[0].Number, string(nodes[0].Note))
	}
	first := beat()
	m.FreezeLists()
	if got := beat(); got != first {
		t.Errorf("a frozen list is %s, was %s", got, first)
	}
	m.ThawLists()
	if got, want := beat(), "1a3note"; got != want {
		t.Errorf("list %s, want %s", got, want)
	}
}

func TestForgetNotes(t *testing.T) {
	m := enginetest.NewMemory(nil)
	a, _ := open(t, m, "a", nil)
	b, _ := open(t, m, "b", nil)
	_, _, _ = b.Beat(t.Context(), nil)
	_, _, _ = a.Beat(t.Context(), nil)
	m.ForgetNotes()
	nodes, _, err := a.Beat(t.Context(), nil)
	if err != nil || len(nodes) != 1 || nodes[0].Number != 2 {
		t.Errorf("%v, %v; want the second note of a", nodes, err)
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		a, _ := open(t, m, "a", nil)
		a.SetDelay(time.Second, time.Minute)
		start := time.Now()
		_, _, err := a.Beat(within(t, 30*time.Second), nil)
		wantErr(t, err, context.DeadlineExceeded)
		nodes, _, err := a.Beat(t.Context(), nil)
		if err != nil || len(nodes) != 1 || nodes[0].Number != 2 {
			t.Errorf("%v, %v", nodes, err)
		}
		if took, want := time.Since(start), 91*time.Second; took != want {
			t.Errorf("two beats took %v, want %v", took, want)
		}
	})
}

func TestHoldTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		a, _ := open(t, m, "a", nil)
		l := follow(t, a, 0)
		a.HoldTail()
		put(t, a, "one")
		l.want(t)
		a.ReleaseTail()
		l.want(t, "1 one")
	})
}

// An ID is forgotten after DedupWindow, and a note after an hour.
func TestMemoryForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		a, _ := open(t, m, "a", nil)
		b, _ := open(t, m, "b", nil)
		_, _, _ = b.Beat(t.Context(), nil)
		put(t, a, "one")
		time.Sleep(room.DedupWindow)
		if seq := put(t, a, "one"); seq != 1 {
			t.Errorf("within the window: seq %d", seq)
		}
		time.Sleep(time.Nanosecond)
		if seq := put(t, a, "one"); seq != 2 {
			t.Errorf("after the window: seq %d", seq)
		}
		time.Sleep(time.Hour)
		if nodes, _, err := a.Beat(t.Context(), nil); err != nil || len(nodes) != 1 {
			t.Errorf("%v, %v", nodes, err)
		}
	})
}
