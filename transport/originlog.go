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
	// logsPerMinute is how many lines a logLimit lets through in a minute.
	logsPerMinute = 10
	// longestLogged is how many bytes of a header are logged.
	longestLogged = 200
)

// logLimit bounds how often something is logged that anybody can cause, and counts the rest.
type logLimit struct {
	mu         sync.Mutex // guards the following
	since      time.Time  // when the current minute began
	lines      int        // logged since then
	suppressed int        // not logged since the last line
}

// take reports whether another line may be logged now, and how many were suppressed before it.
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
// accepted. It logs no token: neither that of the request nor one in a query or as a password.
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

// loggable returns the text of an origin for the log: escaped, clipped, and without what a URL may
// hold besides scheme, host, port and path.
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
