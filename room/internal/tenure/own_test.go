package tenure_test

import (
	"testing"

	"github.com/planrooms/planrooms/room/internal/tenure"
)

// at is a time of a machine that is never suspended.
func at(t int64) tenure.Moment { return tenure.Moment{Mono: t, Wall: t} }

// began returns a node with a ttl of 10, whose tenure 1 lasts from 0 until 8.
func began(t *testing.T) tenure.Own {
	t.Helper()
	o := tenure.NewOwn(10)
	if !o.Answered(at(0), at(0)) || o.Number() != 1 {
		t.Fatal("the first answer does not begin tenure 1")
	}
	return o
}

func wantLive(t *testing.T, o *tenure.Own, number uint64, until int64) {
	t.Helper()
	if o.Number() != number || !o.Live(until-1) || o.Live(until) {
		t.Fatalf("tenure %d, live at %d: %v, at %d: %v; want tenure %d until %d",
			o.Number(), until-1, o.Live(until-1), until, o.Live(until), number, until)
	}
}

// passes reports whether the gate is open at a time.
func passes(o *tenure.Own, first uint64, now tenure.Moment) bool {
	p := o.Pass(first)
	return p.Open(now)
}

func TestNoTenure(t *testing.T) {
	o := tenure.NewOwn(10)
	o.Recorded(0, 5)
	o.End()
	if o.Live(0) || o.Number() != 0 || !o.Shut(0) || passes(&o, 0, at(0)) {
		t.Error("a node has a tenure that no answer has begun")
	}
}

func TestTenureCountsFromTheBeat(t *testing.T) {
	o := tenure.NewOwn(10)
	if !o.Answered(at(0), at(5)) {
		t.Fatal("no tenure")
	}
	wantLive(t, &o, 1, 8)
	if o.Answered(at(7), at(7)) {
		t.Error("an answer within the tenure begins another one")
	}
	wantLive(t, &o, 1, 15)
	if o.Answered(at(6), at(9)) {
		t.Error("an answer within the tenure begins another one")
	}
	wantLive(t, &o, 1, 15) // the beat that was sent first does not shorten it
}

func TestLateAnswerBeginsAnotherTenure(t *testing.T) {
	o := began(t)
	if !o.Answered(at(7), at(8)) {
		t.Error("an answer that comes when the tenure has ended extends it")
	}
	wantLive(t, &o, 2, 15)
}

func TestUselessAnswer(t *testing.T) {
	o := tenure.NewOwn(10)
	if o.Answered(at(0), at(8)) || o.Live(8) || o.Number() != 0 {
		t.Error("an answer that comes as late as a tenure lasts begins one")
	}
}

func TestEnd(t *testing.T) {
	o := began(t)
	o.End() // without a record, its gate was never open
	if o.Live(1) || !o.Shut(1) || o.Writes(1) {
		t.Error("a tenure is live after End")
	}
	if !o.Answered(at(0), at(1)) || o.Shut(1) {
		t.Error("the answer after End does not begin another tenure")
	}
	wantLive(t, &o, 2, 8)
}

// TestWritesOfATenureThatEndedEarly ends a tenure whose gate was open: a write that began before
// may last until 8.
func TestWritesOfATenureThatEndedEarly(t *testing.T) {
	ended := func() tenure.Own {
		o := began(t)
		o.Recorded(1, 3)
		o.End()
		o.End()
		if o.Live(1) || passes(&o, 1, at(1)) {
			t.Error("a tenure is live after End")
		}
		return o
	}
	t.Run("under way", func(t *testing.T) {
		o := ended()
		if !o.Writes(7) || o.Shut(7) {
			t.Error("a note says that the tenure has ended")
		}
		o.WritesEnded(0)
		if o.Answered(at(7), at(7)) || o.Number() != 1 || o.Live(7) {
			t.Error("another tenure begins")
		}
	})
	t.Run("ended", func(t *testing.T) {
		o := ended()
		o.WritesEnded(1)
		o.End()
		if o.Writes(2) || !o.Shut(2) {
			t.Error("no note says that the tenure has ended")
		}
		if !o.Answered(at(2), at(2)) {
			t.Error("no other tenure begins")
		}
		wantLive(t, &o, 2, 10)
	})
	t.Run("past their deadline", func(t *testing.T) {
		o := ended()
		if o.Writes(8) || !o.Shut(8) || !o.Answered(at(8), at(8)) {
			t.Error("no other tenure begins")
		}
	})
}

func TestGate(t *testing.T) {
	o := began(t)
	until := func(first uint64, want int64, why string) {
		t.Helper()
		p := o.Pass(first)
		if got := p.Left(at(0)); got != want {
			t.Fatalf("%s: the gate is open until %d, want %d", why, got, want)
		}
		if want > 0 && (!p.Open(at(want-1)) || p.Open(at(want)) || p.Left(at(want)) > 0) {
			t.Fatalf("%s: the gate is not open until just %d", why, want)
		}
	}
	until(1, 0, "no record")
	o.Recorded(1, 7)
	until(7, 8, "record 7")
	until(8, 0, "record 7 is before the window")
	o.Recorded(1, 9)
	until(8, 8, "record 9")
	o.Answered(at(8), at(8))
	until(1, 0, "the record is of the tenure before")
	if o.RecordedAt() != 0 {
		t.Error("tenure 2 has the record of tenure 1")
	}
	o.Recorded(1, 10)
	until(1, 0, "a record of tenure 1 was stored late")
	o.Recorded(2, 11)
	until(11, 16, "record 11")
}

// asleep is a time of a machine that was suspended for d before.
func asleep(t, d int64) tenure.Moment { return tenure.Moment{Mono: t, Wall: t + d} }

func TestSuspendedMachine(t *testing.T) {
	for _, tt := range []struct {
		name      string
		sent, now tenure.Moment // of the answer after the first one
		begun     bool
		number    uint64
		live      bool
	}{
		{"as long as a fifth of the ttl", asleep(4, 2), asleep(4, 2), false, 1, true},
		{"longer", asleep(4, 3), asleep(4, 3), true, 2, true},
		{"while the beat was under way", at(4), asleep(4, 3), false, 1, false},
		{"the wall clock is set back", asleep(4, -3), asleep(4, -3), true, 2, true},
		{"twice, each time for less", asleep(2, 2), asleep(3, 4), true, 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := began(t)
			if begun := o.Answered(tt.sent, tt.now); begun != tt.begun || o.Number() != tt.number || o.Live(tt.now.Mono) != tt.live {
				t.Errorf("begun %v, number %d, live %v", begun, o.Number(), o.Live(tt.now.Mono))
			}
		})
	}
}

func TestCheck(t *testing.T) {
	o := began(t)
	o.Recorded(1, 1)
	p := o.Pass(1)
	if o.Check(asleep(3, 2)); !o.Live(3) || !p.Open(asleep(3, 2)) || p.Left(asleep(3, 2)) != 5 {
		t.Error("the gate is shut after a suspension of a fifth of the ttl")
	}
	if p.Open(asleep(3, 3)) || p.Left(asleep(3, 3)) > 0 {
		t.Error("the gate is open after a longer suspension, before Check")
	}
	if o.Check(asleep(3, 3)); o.Live(3) || passes(&o, 1, at(3)) {
		t.Error("the gate is open after a longer suspension")
	}
}

// A tenure lasts the ttl at most, whatever part of the suspensions was during the beat.
func TestSuspensionDuringABeat(t *testing.T) {
	o := began(t)
	o.Answered(at(1), asleep(2, 2))
	if !o.Live(2) || o.Number() != 1 {
		t.Fatal("the tenure is not extended")
	}
	if o.Check(asleep(3, 3)); o.Live(3) {
		t.Error("the tenure is live after suspensions of more than a fifth of the ttl")
	}
}
