package middleware_test

// Services still use these deprecated packages. .golangci.yml exempts the file from SA1019.

import (
	"net/http"

	chimw "github.com/go-chi/chi/v5/middleware"
	"github.com/labstack/echo/v4"
	echomw "github.com/labstack/echo/v4/middleware"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func withH2C(h http.Handler) http.Handler { return h2c.NewHandler(h, &http2.Server{}) }

var chiRealIP = chimw.RealIP

func echoTimeout() echo.MiddlewareFunc {
	return echomw.TimeoutWithConfig(echomw.TimeoutConfig{Timeout: timeout})
}
