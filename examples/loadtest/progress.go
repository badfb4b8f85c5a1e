package main

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

// A metronome divides a run into seconds, and writes a line about each.
type metronome struct {
	seconds []second // complete once stop has returned

	tally *tally
	out   io.Writer
	quit  chan struct{}
	done  chan struct{}
	once  sync.Once
}

func newMetronome(t *tally, out io.Writer) *metronome {
	m := &metronome{tally: t, out: out, quit: make(chan struct{}), done: make(chan struct{})}
	go m.run() // stop waits for it
	return m
}

func (m *metronome) run() {
	defer close(m.done)
	beat := time.NewTicker(time.Second)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			m.note()
		case <-m.quit:
			if s := m.tally.cut(); s.Deliveries > 0 || s.Sent > 0 { // the rest of the last second
				m.seconds = append(m.seconds, s)
			}
			return
		}
	}
}

func (m *metronome) note() {
	s := m.tally.cut()
	m.seconds = append(m.seconds, s)
	totals, faults := m.tally.counters()
	_, _ = fmt.Fprintln(m.out, line(s, totals, faults)) // a terminal that is gone ends nothing
}

// line is what is said of a second.
func line(s second, t totals, f faults) string {
	text := fmt.Sprintf("%4.0f s  %s joined", s.To, grouped(t.Joins-t.Resumes))
	if s.Sent > 0 || s.Deliveries > 0 {
		text += fmt.Sprintf("  %s changes/s  %s deliveries/s", grouped(s.Sent), grouped(s.Deliveries))
	}
	if s.Deliveries > 0 {
		text += fmt.Sprintf("  p50 %s  p99 %s  max %s", inWords(s.P50), inWords(s.P99), inWords(s.Max))
	}
	if s.Reconnects > 0 {
		text += fmt.Sprintf("  %s reconnected", grouped(s.Reconnects))
	}
	if f.any() {
		text += fmt.Sprintf("  FAULTS: %d gaps, %d duplicates, %d out of order", f.Gaps, f.Duplicates, f.OutOfOrder)
	}
	return text
}

// stop ends the last second. A second call does nothing.
func (m *metronome) stop() {
	m.once.Do(func() { close(m.quit) })
	<-m.done
}

// inWords is a number of milliseconds with three digits that count.
func inWords(ms float64) string {
	switch {
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'f', 2, 64) + " s"
	case ms >= 100:
		return strconv.FormatFloat(ms, 'f', 0, 64) + " ms"
	case ms >= 10:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(ms, 'f', 2, 64) + " ms"
}

// grouped is a number with a comma for each thousand.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// several is a number of things, of which the plural is regular.
func several(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return grouped(n) + " " + thing
}
