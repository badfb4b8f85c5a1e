package room

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// logLimiter limits log lines about the same problem to one per logEvery, so that an outage that
// concerns every connection does not flood the log. The zero value is ready.
type logLimiter struct {
	mu    sync.Mutex // guards the following
	kinds map[logKind]*logged
}

// logKind identifies a problem. There are few: no value comes from a client.
type logKind struct{ what, kind string }

type logged struct {
	at      time.Time
	omitted int // lines since at
}

// allow reports whether a line may be logged now, and how many were omitted before it.
func (l *logLimiter) allow(k logKind) (omitted int, ok bool) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	last := l.kinds[k]
	if last == nil {
		if l.kinds == nil {
			l.kinds = make(map[logKind]*logged)
		}
		l.kinds[k] = &logged{at: now}
		return 0, true
	}
	if now.Sub(last.at) < logEvery {
		last.omitted++
		return 0, false
	}
	omitted = last.omitted
	*last = logged{at: now}
	return omitted, true
}

// logSome logs a line unless one of the same kind was logged within logEvery. The line has the
// number of lines omitted since then.
func (h *Hub) logSome(level slog.Level, what, kind, message string, args ...any) {
	omitted, ok := h.logs.allow(logKind{what, kind})
	if !ok {
		return
	}
	if omitted > 0 {
		args = append(args, "omitted", omitted)
	}
	h.opts.Logger.Log(context.Background(), level, message, args...)
}

// warn is logSome at level WARN.
func (h *Hub) warn(what, kind, message string, args ...any) {
	h.logSome(slog.LevelWarn, what, kind, message, args...)
}

// errorKind sorts the errors of callbacks into a few kinds.
func errorKind(err error) string {
	switch {
	case errors.Is(err, errPanicked):
		return "panic"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, errNoSlot):
		return "no slot"
	case errors.Is(err, errRevoking):
		return "revoked"
	}
	return "error"
}
