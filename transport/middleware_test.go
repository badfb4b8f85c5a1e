package transport_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"time"
)

// unwrapOnly is a ResponseWriter of middleware whose only optional method is Unwrap.
type unwrapOnly struct{ inner http.ResponseWriter }

func (w unwrapOnly) Header() http.Header         { return w.inner.Header() }
func (w unwrapOnly) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w unwrapOnly) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w unwrapOnly) Unwrap() http.ResponseWriter { return w.inner }

// ginLike is a ResponseWriter that writes the status only on request.
type ginLike struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *ginLike) WriteHeader(status int) { w.status = status }

func (w *ginLike) WriteHeaderNow() {
	if !w.written {
		w.written = true
		w.ResponseWriter.WriteHeader(w.status)
	}
}

func (w *ginLike) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.ResponseWriter.(http.Hijacker).Hijack()
}

// hijackWriter is a ResponseWriter of middleware with the given Hijack.
type hijackWriter struct {
	http.ResponseWriter
	hijack func() (net.Conn, *bufio.ReadWriter, error)
}

func (w hijackWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) { return w.hijack() }

// unwrapWriter is a ResponseWriter of middleware with the given Unwrap and without Hijack.
type unwrapWriter struct {
	inner  http.ResponseWriter
	unwrap func() http.ResponseWriter
}

func (w unwrapWriter) Header() http.Header         { return w.inner.Header() }
func (w unwrapWriter) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w unwrapWriter) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w unwrapWriter) Unwrap() http.ResponseWriter { return w.unwrap() }

// ginHijack is a ResponseWriter like gin's. Before it calls the Hijack method of the wrapped
// writer, it marks the header as written and from then on ignores a status. It panics if the
// wrapped writer has no Hijack method.
type ginHijack struct {
	inner   http.ResponseWriter
	written bool
}

func (w *ginHijack) Header() http.Header         { return w.inner.Header() }
func (w *ginHijack) Write(b []byte) (int, error) { return w.inner.Write(b) }
func (w *ginHijack) Unwrap() http.ResponseWriter { return w.inner }

func (w *ginHijack) WriteHeader(status int) {
	if !w.written {
		w.written = true
		w.inner.WriteHeader(status)
	}
}

func (w *ginHijack) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.written = true
	return w.inner.(http.Hijacker).Hijack()
}

// failing holds ResponseWriters that have a Hijack or Unwrap method but no connection.
var failing = map[string]func(w http.ResponseWriter) http.ResponseWriter{
	"error": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, http.ErrNotSupported }}
	},
	"panic": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			return any(unwrapOnly{w}).(http.Hijacker).Hijack()
		}}
	},
	"gin": func(w http.ResponseWriter) http.ResponseWriter {
		return &ginHijack{inner: struct{ http.ResponseWriter }{w}} // hides the other methods of w
	},
	"nothing": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }}
	},
	"nil TCP connection": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return (*net.TCPConn)(nil), nil, nil }}
	},
	"nil TLS connection": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) { return (*tls.Conn)(nil), nil, nil }}
	},
	"Unwrap to itself": func(w http.ResponseWriter) http.ResponseWriter {
		var self unwrapWriter
		self = unwrapWriter{w, func() http.ResponseWriter { return self }}
		return self
	},
	"Unwrap panics": func(w http.ResponseWriter) http.ResponseWriter {
		return unwrapWriter{w, func() http.ResponseWriter { panic("oops") }}
	},
	"Unwrap to nil": func(w http.ResponseWriter) http.ResponseWriter {
		return unwrapWriter{w, func() http.ResponseWriter { return nil }}
	},
	"TimeoutHandler": func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			var err error
			http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _, err = http.NewResponseController(w).Hijack()
			}), time.Hour, "").ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			return nil, nil, err
		}}
	},
}

// wrapIf applies wrap to the ResponseWriter of requests with ?wrap.
func wrapIf(wrap func(w http.ResponseWriter) http.ResponseWriter) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("wrap") {
				w = wrap(w)
			}
			h.ServeHTTP(w, r)
		})
	}
}

// lateHeader is a ResponseWriter like that of compressing middleware: it writes the status with the
// first byte of the body, and an upgrade has no body.
type lateHeader struct {
	http.ResponseWriter
	status int
}

func (w *lateHeader) WriteHeader(status int) { w.status = status }

func (w *lateHeader) Write(b []byte) (int, error) {
	if w.status != 0 {
		w.ResponseWriter.WriteHeader(w.status)
		w.status = 0
	}
	return w.ResponseWriter.Write(b)
}

func (w *lateHeader) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// hijackThen returns a ResponseWriter of middleware that changes the connection it hijacks.
func hijackThen(change func(nc net.Conn, rw *bufio.ReadWriter) (net.Conn, *bufio.ReadWriter)) func(w http.ResponseWriter) http.ResponseWriter {
	return func(w http.ResponseWriter) http.ResponseWriter {
		return hijackWriter{w, func() (net.Conn, *bufio.ReadWriter, error) {
			nc, rw, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return nil, nil, err
			}
			nc, rw = change(nc, rw)
			return nc, rw, nil
		}}
	}
}
