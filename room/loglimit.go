package room

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// logLimiter logs at most one line about the same problem per logEvery, so that an outage that
// concerns every connection does not flood the log.
type logLimiter struct {
	logger *slog.Logger // fixed at creation

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

// log logs a line unless one of the same kind was logged within logEvery. The line has the number
// of lines omitted since then.
func (l *logLimiter) log(level slog.Level, what, kind, message string, args ...any) {
	omitted, ok := l.allow(logKind{what, kind})
	if !ok {
		return
	}
	if omitted > 0 {
		args = append(args, "omitted", omitted)
	}
	l.logger.Log(context.Background(), level, message, args...)
}

// warn is log at level WARN.
func (l *logLimiter) warn(what, kind, message string, args ...any) {
	l.log(slog.LevelWarn, what, kind, message, args...)
}
