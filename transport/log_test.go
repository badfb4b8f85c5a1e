package transport_test

import (
	"context"
	"log/slog"
	"sync"
)

// records is a log handler that keeps its records.
type records struct {
	mu   sync.Mutex
	list []slog.Record // guarded by mu
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

func (r *records) Handle(_ context.Context, record slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, record.Clone())
	return nil
}

// at returns the records of a level, one line each.
func (r *records) at(level slog.Level) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for _, record := range r.list {
		if record.Level != level {
			continue
		}
		line := record.Message
		record.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
		lines = append(lines, line)
	}
	return lines
}
