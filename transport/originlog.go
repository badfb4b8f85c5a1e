package transport

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// logsPerMinute is the maximum number of lines per minute that a logLimit allows.
	logsPerMinute = 10
	// longestLogged is the maximum number of bytes of a header that are logged.
	longestLogged = 200
)

// logLimit limits the rate of log lines that any client can cause, and counts the suppressed lines.
type logLimit struct {
	mu         sync.Mutex // guards the following
	since      time.Time  // start of the current minute
	lines      int        // logged since then
	suppressed int        // not logged since the last line
}

// take reports whether another line may be logged now, and how many lines were suppressed before
// it.
func (l *logLimit) take() (suppressed int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.since) >= time.Minute {
		l.since, l.lines = now, 0
	}
	if l.lines == logsPerMinute {
		l.suppressed++
		return 0, false
	}
	l.lines++
	suppressed, l.suppressed = l.suppressed, 0
	return suppressed, true
}

// logOrigin logs that the origin of a request was refused, and which origins would have been
// accepted. It logs no token, neither the request's nor one in the query or the password of an
// origin.
func (h *handler) logOrigin(r *http.Request, err error, cookies bool, token string) {
	level, text, limit := slog.LevelInfo, "transport: origin refused", &h.refusedOrigins
	var panicked *panicError
	if errors.As(err, &panicked) {
		level, text, limit = slog.LevelError, "transport: Options.AllowOrigin panicked", &h.originPanics
	}
	if !h.opts.Logger.Enabled(context.Background(), level) {
		return
	}
	suppressed, ok := limit.take()
	if !ok {
		return
	}
	var expected []string
	for _, origin := range h.origins.expected(r, cookies) {
		expected = append(expected, loggable(origin, token))
	}
	attrs := []slog.Attr{
		slog.String("origin", loggable(strings.Join(r.Header.Values("Origin"), ", "), token)),
		slog.String("expected", strings.Join(expected, ", ")),
		slog.String("error", withoutToken(err, token)),
		slog.Int("suppressed", suppressed),
	}
	if panicked != nil {
		attrs = append(attrs, slog.String("stack", panicked.stack))
	}
	h.log(r, level, text, attrs...)
}

// loggable returns an origin for the log. It escapes and shortens the text, and removes everything
// that is not a scheme, host, port or path.
func loggable(origin, token string) string {
	if containsToken(origin, token) {
		return "(contains the token)"
	}
	if i := strings.IndexAny(origin, "?#"); i >= 0 {
		origin = origin[:i] + "…"
	}
	if i := strings.LastIndexByte(origin, '@'); i >= 0 {
		origin = "…" + origin[i:]
	}
	if len(origin) > longestLogged {
		origin = origin[:longestLogged] + "…"
	}
	quoted := strconv.Quote(origin)
	return quoted[1 : len(quoted)-1]
}
