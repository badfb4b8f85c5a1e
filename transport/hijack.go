package transport

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxWrappers limits the search for a Hijacker, since a ResponseWriter may unwrap to itself.
const maxWrappers = 64

var (
	errNoHijacker = errors.New("the innermost ResponseWriter has no Hijack method; http.TimeoutHandler " +
		"and middleware without Unwrap cannot carry a WebSocket")
	errNoConn = errors.New("Hijack returned neither a connection nor an error")
)

// upgradeError reports that the handler could not take the connection over from net/http. The usual
// cause is middleware between net/http and the handler.
type upgradeError struct {
	err     error
	writers string // types of the ResponseWriters, outermost first
}

func (e *upgradeError) Error() string { return "cannot take over the connection: " + e.err.Error() }

func (e *upgradeError) Unwrap() error { return e.err }

// hijack takes the request's connection over from net/http and sets a.conn. If it fails, it has
// written nothing and a.conn is nil. A ResponseWriter cannot make it panic or loop.
func (h *handler) hijack(a *attempt) (err error) {
	var nc net.Conn
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
		if err == nil {
			return
		}
		err, a.conn = &upgradeError{err, writerTypes(a.w)}, nil
		if nc != nil {
			_ = guarded{nc, slog.New(slog.DiscardHandler)}.cut() // err is the error to report
		}
	}()
	hijacker := findHijacker(a.w)
	if hijacker == nil {
		return errNoHijacker
	}
	var rw *bufio.ReadWriter
	if nc, rw, err = hijacker.Hijack(); err != nil {
		return err
	}
	if nc == nil {
		return errNoConn
	}
	// The server or middleware may have set deadlines for the request.
	if err := nc.SetDeadline(time.Time{}); err != nil {
		return err
	}
	if rw != nil && rw.Writer != nil && rw.Writer.Buffered() > 0 {
		// These bytes would precede the status line.
		h.logLimited(&h.discarded, a.r, slog.LevelWarn, "transport: discarded what middleware left in the writer of a hijacked connection",
			slog.Int("bytes", rw.Writer.Buffered()), slog.String("writers", writerTypes(a.w)))
	}
	a.conn = newConn(nc, h.opts.WriteBuffer, &h.shared)
	a.conn.buffered = readAhead(rw)
	return nil
}

// readAhead returns a copy of the bytes that net/http has read after the request. The copy lets
// net/http's buffer be freed.
func readAhead(rw *bufio.ReadWriter) []byte {
	if rw == nil || rw.Reader == nil || rw.Reader.Buffered() == 0 {
		return nil
	}
	b, _ := rw.Reader.Peek(rw.Reader.Buffered()) // no error is possible: the bytes are buffered
	return append([]byte(nil), b...)
}

// findHijacker returns the first Hijacker among w and the ResponseWriters that it wraps. It returns
// nil if there is none, or if the innermost writer has no Hijack method: middleware calls that
// method, so every Hijack would fail. Some middleware would then also spoil the answer. For
// example, gin marks the header as written first, and the client would get status 200.
func findHijacker(w http.ResponseWriter) http.Hijacker {
	var first http.Hijacker
	for range maxWrappers {
		hijacker, ok := w.(http.Hijacker)
		if ok && first == nil {
			first = hijacker
		}
		u, wraps := w.(interface{ Unwrap() http.ResponseWriter })
		switch {
		case wraps:
			w = u.Unwrap()
		case ok:
			return first
		default:
			return nil
		}
	}
	return first
}

// writerTypes lists the types of w and the ResponseWriters that it wraps, outermost first. The log
// line then shows which middleware is at fault.
func writerTypes(w http.ResponseWriter) (types string) {
	var b strings.Builder
	defer func() {
		_ = recover() // if Unwrap panics, the list ends there
		types = b.String()
	}()
	for range maxWrappers {
		fmt.Fprintf(&b, "%T", w)
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		b.WriteString(" > ")
		w = u.Unwrap()
	}
	return ""
}
