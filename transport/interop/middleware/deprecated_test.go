package middleware_test

//lint:file-ignore SA1019 Services still use these deprecated packages.

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
