package middleware_test

import (
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/CAFxX/httpcompression"
	"github.com/NYTimes/gziphandler"
	"github.com/alexedwards/scs/v2"
	gingzip "github.com/gin-contrib/gzip"
	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimw "github.com/go-chi/chi/v5/middleware"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gorilla/handlers"
	"github.com/gorilla/mux"
	"github.com/klauspost/compress/gzhttp"
	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/cors"
	"github.com/urfave/negroni/v3"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// verdict is the result of a stack.
type verdict string

const (
	works   verdict = "works"
	refuses verdict = "500" // HTTP 500, and one line at ERROR with the reason
	absent  verdict = "–"   // cannot be built
)

// stack is a row of README's table: the middleware between the server and the WebSocket handler.
type stack struct {
	name string
	want verdict

	// wrap wraps ws in the stack. serve, if set, runs a server other than net/http's.
	wrap  func(t *testing.T, ws http.Handler) http.Handler
	serve func(t *testing.T, ws http.Handler) (addr string)
}

// plain returns a stack whose middleware does not need the test.
func plain(name string, want verdict, wrap func(http.Handler) http.Handler) stack {
	return stack{name: name, want: want, wrap: func(_ *testing.T, ws http.Handler) http.Handler { return wrap(ws) }}
}

const timeout = time.Minute // used for every timeout

func timeoutHandler(h http.Handler) http.Handler { return http.TimeoutHandler(h, timeout, "timeout") }

func stacks() []stack {
	return []stack{
		plain("net/http", works, func(h http.Handler) http.Handler { return h }),
		plain("http.StripPrefix", works, func(h http.Handler) http.Handler { return http.StripPrefix("/", h) }),
		plain("http.MaxBytesHandler", works, func(h http.Handler) http.Handler { return http.MaxBytesHandler(h, 1<<20) }),
		plain("http.TimeoutHandler", refuses, timeoutHandler),
		plain("x/net h2c", works, withH2C),

		plain("chi: Logger, Recoverer, Timeout", works, withChi(chiLogger(), chimw.Recoverer, chimw.Timeout(timeout))),
		plain("chi: Compress", works, withChi(chimw.Compress(5))),
		plain("chi: RequestID, RealIP, Logger, Recoverer, Compress, Timeout", works, withChi(
			chimw.RequestID, chiRealIP, chiLogger(), chimw.Recoverer, chimw.Compress(5), chimw.Timeout(timeout))),

		plain("gin: New", works, withGin(gin.New)),
		plain("gin: Default (Logger, Recovery)", works, withGin(func(...gin.OptionFunc) *gin.Engine { return gin.Default() })),
		plain("gin: Default, gin-contrib/gzip", works, withGin(func(...gin.OptionFunc) *gin.Engine {
			e := gin.Default()
			e.Use(gingzip.Gzip(gingzip.DefaultCompression))
			return e
		})),

		plain("echo: Logger, Recover", works, withEcho(echoLogger(), echomw.Recover())),
		plain("echo: Gzip", works, withEcho(echomw.Gzip())),
		plain("echo: BodyDump", works, withEcho(echomw.BodyDump(func(echo.Context, []byte, []byte) {}))),
		plain("echo: Timeout", refuses, withEcho(echoTimeout())),
		plain("echo: ContextTimeout", works, withEcho(echomw.ContextTimeout(timeout))),
		plain("echo: Logger, Recover, Gzip, BodyDump, ContextTimeout", works, withEcho(
			echoLogger(), echomw.Recover(), echomw.Gzip(), echomw.BodyDump(func(echo.Context, []byte, []byte) {}), echomw.ContextTimeout(timeout))),

		plain("gorilla/mux", works, func(h http.Handler) http.Handler {
			r := mux.NewRouter()
			r.Handle("/ws", h).Methods(http.MethodGet)
			return r
		}),
		plain("gorilla/handlers: LoggingHandler", works, func(h http.Handler) http.Handler { return handlers.LoggingHandler(io.Discard, h) }),
		plain("gorilla/handlers: CombinedLoggingHandler", works, func(h http.Handler) http.Handler {
			return handlers.CombinedLoggingHandler(io.Discard, h)
		}),
		plain("gorilla/handlers: CompressHandler", works, handlers.CompressHandler),
		plain("gorilla/handlers: RecoveryHandler", works, handlers.RecoveryHandler()),
		plain("gorilla/handlers: CORS", works, handlers.CORS()),
		plain("gorilla/handlers: ProxyHeaders", works, handlers.ProxyHeaders),
		plain("gorilla: mux, ProxyHeaders, CombinedLoggingHandler, CompressHandler, RecoveryHandler, CORS", works, func(h http.Handler) http.Handler {
			r := mux.NewRouter()
			r.Use(handlers.ProxyHeaders, handlers.CompressHandler, handlers.RecoveryHandler(), handlers.CORS())
			r.Handle("/ws", h)
			return handlers.CombinedLoggingHandler(io.Discard, r)
		}),

		plain("otelhttp", works, func(h http.Handler) http.Handler {
			return otelhttp.NewHandler(h, "ws", otelhttp.WithTracerProvider(sdktrace.NewTracerProvider()))
		}),
		plain("promhttp: Duration, Counter, InFlight, RequestSize, ResponseSize, TimeToWriteHeader", works, withPrometheus),
		plain("rs/cors", works, cors.AllowAll().Handler),
		plain("negroni: Recovery, Logger", works, func(h http.Handler) http.Handler {
			logger := negroni.NewLogger()
			logger.ALogger = log.New(io.Discard, "", 0)
			n := negroni.New(negroni.NewRecovery(), logger)
			n.UseHandler(h)
			return n
		}),
		plain("klauspost gzhttp", works, func(h http.Handler) http.Handler { return gzhttp.GzipHandler(h) }),
		plain("NYTimes/gziphandler", works, gziphandler.GzipHandler),
		{name: "CAFxX/httpcompression", want: works, wrap: func(t *testing.T, h http.Handler) http.Handler {
			compress, err := httpcompression.DefaultAdapter()
			if err != nil {
				t.Fatal(err)
			}
			return compress(h)
		}},
		plain("scs: LoadAndSave", works, func(h http.Handler) http.Handler {
			sessions := scs.New()
			return sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sessions.Put(r.Context(), "seen", true)
				h.ServeHTTP(w, r)
			}))
		}),
		{name: "fiber v2: adaptor.HTTPHandler (fasthttp 1.72)", want: works, serve: serveFiber},
	}
}

func withChi(use ...func(http.Handler) http.Handler) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		r := chi.NewRouter()
		r.Use(use...)
		r.Method(http.MethodGet, "/ws", h)
		return r
	}
}

func chiLogger() func(http.Handler) http.Handler {
	return chimw.RequestLogger(&chimw.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0), NoColor: true})
}

func withGin(engine func(...gin.OptionFunc) *gin.Engine) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		e := engine()
		e.GET("/ws", gin.WrapH(h))
		return e
	}
}

func withEcho(use ...echo.MiddlewareFunc) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		e := echo.New()
		e.Use(use...)
		e.GET("/ws", echo.WrapHandler(h))
		return e
	}
}

func echoLogger() echo.MiddlewareFunc {
	return echomw.RequestLoggerWithConfig(echomw.RequestLoggerConfig{
		LogStatus: true, LogURI: true, LogLatency: true, LogResponseSize: true,
		LogValuesFunc: func(_ echo.Context, v echomw.RequestLoggerValues) error {
			slog.New(slog.DiscardHandler).Info("request", "status", v.Status)
			return nil
		},
	})
}

func withPrometheus(h http.Handler) http.Handler {
	histogram := func(name string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name}, []string{"code", "method"})
	}
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests"}, []string{"code", "method"})
	h = promhttp.InstrumentHandlerTimeToWriteHeader(histogram("header"), h)
	h = promhttp.InstrumentHandlerResponseSize(histogram("response"), h)
	h = promhttp.InstrumentHandlerRequestSize(histogram("request"), h)
	h = promhttp.InstrumentHandlerInFlight(prometheus.NewGauge(prometheus.GaugeOpts{Name: "requests_in_flight"}), h)
	h = promhttp.InstrumentHandlerCounter(counter, h)
	return promhttp.InstrumentHandlerDuration(histogram("duration"), h)
}

// serve starts net/http's server.
func serve(t *testing.T, h http.Handler) (addr string) {
	srv := httptest.NewUnstartedServer(h)
	// the server logs middleware that writes after the hijack
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String()
}

// serveFiber runs fiber's server, which is fasthttp's.
func serveFiber(t *testing.T, ws http.Handler) (addr string) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get("/ws", adaptor.HTTPHandler(ws))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		// Shutdown would race with fasthttp's own requests: it sets what their contexts read
		_ = ln.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}
