package transport

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

const (
	// maxRefusing is how many browsers are told at once why they are refused.
	maxRefusing = 256
	// refuseWait is how long one of them may take for that, its answer included.
	refuseWait = time.Second
)

// limit counts what there may be only so many of.
type limit struct {
	max int64 // 0: no limit
	n   atomic.Int64
}

// take reports whether there was room for one more. It is exact however many ask at once.
func (l *limit) take() bool {
	for {
		n := l.n.Load()
		if l.max > 0 && n >= l.max {
			return false
		}
		if l.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (l *limit) release() { l.n.Add(-1) }

// refuse answers a request that is not served. A page is not told the HTTP status of a failed upgrade, so a browser, which
// has an Origin, is upgraded and told in a goodbye.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error, token string) {
	why, clients := refusalFor(err)
	reason := slog.String("error", withoutToken(err, token))
	if clients || r.Context().Err() != nil { // whoever has gone in between is nobody's fault
		h.log(r, slog.LevelDebug, "transport: refused", reason)
	} else {
		h.log(r, slog.LevelWarn, "transport: cannot tell who connects", reason)
	}
	retry := retryAfter(why.code)
	if why.code != 0 && r.Header.Get("Origin") != "" && h.refusing.take() {
		defer h.refusing.release()
		h.tell(w, r, why.code, retry)
		return
	}
	switch why.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds := max(1, math.Ceil(retry.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	answer(w, why.status, why.text)
}

// retryAfter draws the time after which a client that is refused with code may come back.
func retryAfter(code protocol.CloseCode) time.Duration {
	if code == protocol.CloseShutdown {
		// The hub deals out slots to those it had; who comes now is spread over the same few seconds as after a fault.
		code = protocol.CloseInternal
	}
	return code.Advice().RetryAfter()
}

// tell upgrades the connection, says goodbye, and waits for the peer to close.
func (h *handler) tell(w http.ResponseWriter, r *http.Request, code protocol.CloseCode, retry time.Duration) {
	goodbye, err := protocol.Encode(protocol.TypeGoodbye, "", code.Goodbye(retry), time.Time{})
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	c := newConn(h.opts.Logger, h.opts.WriteBuffer, &h.buffers)
	c.session = refused{}
	c.deaf = true
	ws, err := accept(hijacker{w, c}, bareHandshake(r))
	if err != nil {
		return // the client has gone
	}
	defer time.AfterFunc(refuseWait, func() { _ = c.Close() }).Stop()
	frames := appendClose(framing{}.AppendMessage(nil, goodbye), code)
	for deadline := time.Now().Add(refuseWait); len(frames) > 0; {
		n, err := c.Write(frames, deadline)
		if err != nil {
			_ = c.Close() // it takes nothing
			break
		}
		frames = frames[n:]
	}
	c.Finish()
	c.serve(ws, func() {})
}

func (h *handler) log(r *http.Request, level slog.Level, text string, attrs ...slog.Attr) {
	// Not the request's context, which may be over, and not its URL, which may hold a token.
	h.opts.Logger.LogAttrs(context.Background(), level, text, append(attrs, slog.String("remote", r.RemoteAddr))...)
}
