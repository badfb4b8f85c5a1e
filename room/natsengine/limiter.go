package natsengine

import (
	"log/slog"
	"sync"
	"time"
)

// logEvery is how often a line with the same text is logged at most.
const logEvery = 10 * time.Second

// limiter is a logger that says whether a line with a text may be logged again.
type limiter struct {
	*slog.Logger

	mu   sync.Mutex // guards last
	last map[string]time.Time
}

func newLimiter(l *slog.Logger) *limiter {
	return &limiter{Logger: l, last: make(map[string]time.Time)}
}

// allow reports whether a line with a text may be logged now.
func (l *limiter) allow(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if at, ok := l.last[text]; ok && now.Sub(at) < logEvery {
		return false
	}
	for text, at := range l.last {
		if now.Sub(at) >= logEvery {
			delete(l.last, text)
		}
	}
	l.last[text] = now
	return true
}
