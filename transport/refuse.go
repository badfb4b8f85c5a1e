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
	// maxGoodbyes is the maximum number of connections that are upgraded at the same time only to
	// send a goodbye.
	maxGoodbyes = 256
	// maxRetryAfter limits the retry delay that a client gets when the verifier cannot decide yet.
	maxRetryAfter = 30 * time.Second
	// refusalWait is how long writing a refusal and waiting for the peer to close may take.
	refusalWait = time.Second
)

// semaphore limits a count without blocking.
type semaphore struct {
	max int64 // 0: no limit
	n   atomic.Int64
}

// take reports whether the count was below max, and increments it if so. It never exceeds max, even
// with concurrent calls.
func (s *semaphore) take() bool {
	for {
		n := s.n.Load()
		if s.max > 0 && n >= s.max {
			return false
		}
		if s.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (s *semaphore) release() { s.n.Add(-1) }

// refuse answers a refused request. A page in a browser cannot read the HTTP status of a failed
// upgrade. If the request has an Origin, refuse therefore upgrades it and sends a goodbye.
func (h *handler) refuse(a *attempt, err error) {
	why, level := refusalFor(err)
	h.logRefusal(a, level, err)
	goodbye := why.code != 0 && a.r.Header.Get("Origin") != "" && h.goodbyes.take()
	if goodbye {
		defer h.goodbyes.release()
		if a.conn == nil {
			if err := h.hijack(a); err != nil {
				h.logRefusal(a, slog.LevelError, err)
				goodbye = false
			}
		}
	}
	h.report(a, why, goodbye, err)
	retry := retryAfter(why.code, err)
	if goodbye {
		h.sendGoodbye(a, why, retry)
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

// report counts a refused request and passes it to the hub's Observer.
func (h *handler) report(a *attempt, why refusal, goodbye bool, err error) {
	info := room.RefusalInfo{
		Reason: why.reason, Status: why.status, RemoteAddr: a.r.RemoteAddr, UserID: a.userID,
		Origin: loggable(a.r.Header.Get("Origin"), a.token), Err: cleanError{withoutToken(err, a.token), err},
	}
	if goodbye {
		info.Code = why.code
	}
	h.hub.ReportRefusal(info)
}

// logRefusal logs a refused request.
func (h *handler) logRefusal(a *attempt, level slog.Level, err error) {
	attrs := []slog.Attr{slog.String("error", withoutToken(err, a.token))}
	if unavailableErr := (*auth.UnavailableError)(nil); errors.As(err, &unavailableErr) {
		// Anyone can cause this error with a token that names an unknown key.
		suppressed, ok := h.unavailable.take()
		if !ok {
			return
		}
		attrs = append(attrs, slog.Int("suppressed", suppressed))
	}
	text, limit := "transport: refused", (*logLimit)(nil)
	switch level {
	case slog.LevelWarn:
		text, limit = "transport: cannot authenticate a client", &h.unverified
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

// retryAfter returns the delay after which a client that is refused with code because of err may
// retry. If err says when the verifier can decide, the delay is that time and a random part, so
// that clients do not retry all at once.
func retryAfter(code protocol.CloseCode, err error) time.Duration {
	if code == protocol.CloseShutdown {
		// At shutdown the hub assigns reconnect times to its own connections. A new client gets a
		// random delay from the range for internal errors.
		code = protocol.CloseInternal
	}
	advice := code.Advice()
	retry := advice.RetryAfter()
	if unavailableErr := (*auth.UnavailableError)(nil); errors.As(err, &unavailableErr) && unavailableErr.RetryAfter > advice.RetryAfterMin {
		spread := retry - advice.RetryAfterMin
		retry = min(min(unavailableErr.RetryAfter, maxRetryAfter)+spread, maxRetryAfter-rand.N(time.Second))
	}
	return retry
}

// sendGoodbye upgrades the connection, sends a goodbye and a close frame, and waits for the peer to
// close.
func (h *handler) sendGoodbye(a *attempt, why refusal, retry time.Duration) {
	goodbye := why.code.Goodbye(retry)
	goodbye.Reason = why.closeReason()
	message, err := protocol.Encode(protocol.TypeGoodbye, "", goodbye, time.Time{})
	if err != nil {
		panic(err) // cannot happen: a struct of strings and numbers
	}
	c := a.conn
	c.session, c.discarding = refused{}, true
	frames := framing{}.AppendMessage(switchingProtocols(a.r), message)
	frames = framing{}.AppendClose(frames, why.code, goodbye.Reason)
	c.writeFinal(frames, c.readToEnd)
}

// reply writes an HTTP answer and waits for the peer to close.
func (c *conn) reply(answer []byte) {
	c.writeFinal(answer, func() {
		c.drain()
		c.closeSocket()
	})
}

// writeFinal writes b as the last bytes of a connection that has no session. It then calls end,
// which waits for the peer to close. Both together take at most refusalWait.
func (c *conn) writeFinal(b []byte, end func()) {
	defer time.AfterFunc(refusalWait, func() { _ = c.Close() }).Stop()
	c.head = nil // b contains its own response head
	for deadline := time.Now().Add(refusalWait); len(b) > 0; {
		n, err := c.Write(b, deadline)
		if err != nil {
			_ = c.Close() // the peer does not read
			break
		}
		b = b[n:]
	}
	c.Finish()
	end()
}

// logLimited logs a line that clients can cause. It writes lines over the limit at level DEBUG. A
// nil limit means no limit.
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
	// The request's context may have ended, and its URL may hold a token: use neither.
	h.opts.Logger.LogAttrs(context.Background(), level, text, append(attrs, slog.String("remote", r.RemoteAddr))...)
}
