package transport

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

const (
	// maxRefusing is how many browsers are told at once why they are refused.
	maxRefusing = 256
	// maxRetryAfter is the maximum time after which a client is asked to retry because the verifier
	// cannot decide yet.
	maxRetryAfter = 30 * time.Second
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

// refuse answers a request that is not served. The page in a browser, which has an Origin, does not
// see the HTTP status of a failed upgrade: it gets a goodbye on an open WebSocket.
func (h *handler) refuse(a *attempt, err error) {
	why, level := refusalFor(err)
	h.logRefusal(a, level, err)
	told := why.code != 0 && a.r.Header.Get("Origin") != "" && h.refusing.take()
	if told {
		defer h.refusing.release()
		if a.conn == nil {
			if err := h.hijack(a); err != nil {
				h.logRefusal(a, slog.LevelError, err)
				told = false
			}
		}
	}
	h.report(a, why, told, err)
	retry := retryAfter(why.code, err)
	if told {
		h.tell(a, why, retry)
		return
	}
	header := a.w.Header()
	if a.conn != nil {
		header = make(http.Header)
	}
	switch why.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds := max(1, math.Ceil(retry.Seconds()))
		header.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	if a.conn == nil {
		answer(a.w, why.status, why.text)
		return
	}
	a.conn.reply(plainAnswer(why.status, header, why.text))
}

// report counts a request that is not served, and passes it to the hub's Observer.
func (h *handler) report(a *attempt, why refusal, told bool, err error) {
	info := room.RefusalInfo{
		Reason: why.reason, Status: why.status, RemoteAddr: a.r.RemoteAddr, UserID: a.userID,
		Origin: loggable(a.r.Header.Get("Origin"), a.token), Err: cleanError{withoutToken(err, a.token), err},
	}
	if told {
		info.Code = why.code
	}
	h.hub.ReportRefusal(info)
}

// logRefusal logs a request that is not served.
func (h *handler) logRefusal(a *attempt, level slog.Level, err error) {
	attrs := []slog.Attr{slog.String("error", withoutToken(err, a.token))}
	if undecided := (*auth.UnavailableError)(nil); errors.As(err, &undecided) {
		// Anyone can cause this error, with a token of an unknown key.
		suppressed, ok := h.undecided.take()
		if !ok {
			return
		}
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	text, limit := "transport: refused", (*logLimit)(nil)
	switch level {
	case slog.LevelWarn:
		text, limit = "transport: cannot tell who connects", &h.unverified
	case slog.LevelError:
		text, limit = "transport: upgrade failed", &h.failedUpgrades
	}
	if upgrade := (*upgradeError)(nil); errors.As(err, &upgrade) {
		attrs = append(attrs, slog.String("writers", upgrade.writers))
	}
	if p := (*panicError)(nil); errors.As(err, &p) {
		attrs = append(attrs, slog.String("stack", p.stack))
	}
	h.logLimited(limit, a.r, level, text, attrs...)
}

// answer writes an HTTP answer with a fixed text.
func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, text, status)
}

// retryAfter draws the time after which a client that is refused with code, because of err, may
// retry. If the verifier knows when it can decide, the client waits until then, and a random time
// that spreads the clients.
func retryAfter(code protocol.CloseCode, err error) time.Duration {
	if code == protocol.CloseShutdown {
		// The hub deals out slots to those it had; who comes now is spread over the same few seconds as after a fault.
		code = protocol.CloseInternal
	}
	advice := code.Advice()
	retry := advice.RetryAfter()
	if undecided := (*auth.UnavailableError)(nil); errors.As(err, &undecided) && undecided.RetryAfter > advice.RetryAfterMin {
		spread := retry - advice.RetryAfterMin
		retry = min(min(undecided.RetryAfter, maxRetryAfter)+spread, maxRetryAfter-rand.N(time.Second))
	}
	return retry
}

// tell upgrades the connection, says goodbye, and waits for the peer to close.
func (h *handler) tell(a *attempt, why refusal, retry time.Duration) {
	goodbye := why.code.Goodbye(retry)
	goodbye.Reason = why.closeReason()
	message, err := protocol.Encode(protocol.TypeGoodbye, "", goodbye, time.Time{})
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	c := a.conn
	c.session, c.deaf = refused{}, true
	frames := framing{}.AppendMessage(switchingProtocols(a.r), message)
	frames = framing{}.AppendClose(frames, why.code, goodbye.Reason)
	c.last(frames, func() { c.serve(func() {}) })
}

// reply writes an HTTP answer and waits for the peer to close.
func (c *conn) reply(answer []byte) {
	c.last(answer, func() {
		c.abandon()
		c.hangUp()
	})
}

// last writes b as the last bytes of a connection that has no session, and then calls end, which
// waits for the peer to close. All of it takes refuseWait at most.
func (c *conn) last(b []byte, end func()) {
	defer time.AfterFunc(refuseWait, func() { _ = c.Close() }).Stop()
	c.head = nil // b has its own
	for deadline := time.Now().Add(refuseWait); len(b) > 0; {
		n, err := c.Write(b, deadline)
		if err != nil {
			_ = c.Close() // it takes nothing
			break
		}
		b = b[n:]
	}
	c.Finish()
	end()
}

// logLimited is log for what clients can cause. Lines over the limit are written at level DEBUG. A nil
// limit is none.
func (h *handler) logLimited(limit *logLimit, r *http.Request, level slog.Level, text string, attrs ...slog.Attr) {
	if limit != nil {
		suppressed, ok := limit.take()
		if !ok {
			level = slog.LevelDebug
		}
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	h.log(r, level, text, attrs...)
}

func (h *handler) log(r *http.Request, level slog.Level, text string, attrs ...slog.Attr) {
	// Not the request's context, which may be over, and not its URL, which may hold a token.
	h.opts.Logger.LogAttrs(context.Background(), level, text, append(attrs, slog.String("remote", r.RemoteAddr))...)
}
