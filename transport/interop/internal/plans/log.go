package plans

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// Log is a slog.Handler that keeps its records. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex // guards lines
	lines []line
}

type line struct {
	level slog.Level
	text  string
}

// Enabled implements [slog.Handler].
func (l *Log) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements [slog.Handler].
func (l *Log) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Level, r.Message)
	r.Attrs(func(a slog.Attr) bool {
		fmt.Fprintf(&b, " %s=%q", a.Key, a.Value)
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line{r.Level, b.String()})
	return nil
}

// WithAttrs implements [slog.Handler]. The library does not call it.
func (l *Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup implements [slog.Handler]. The library does not call it.
func (l *Log) WithGroup(string) slog.Handler { return l }

// From returns the records of at least the given level, one line each.
func (l *Log) From(level slog.Level) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if line.level >= level {
			found = append(found, line.text)
		}
	}
	return found
}
