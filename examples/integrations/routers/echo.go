package routers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
)

// Echo returns the service on echo. ContextTimeout suits it; echo's Timeout hides the connection
// from the WebSocket handler.
func Echo(store *tasks.Store, live *Live) http.Handler {
	e := echo.New()
	e.Use(middleware.Recover(), middleware.Gzip(), middleware.ContextTimeout(time.Minute))
	e.GET("/ws", echo.WrapHandler(live.Socket)) // glue
	users := e.Group("", func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			userID, ok := store.Login(bearer(c.Request()))
			if !ok {
				return echo.ErrUnauthorized
			}
			c.Set("user", userID)
			return next(c)
		}
	})
	users.GET("/plans/:planID", func(c echo.Context) error {
		planID := c.Param("planID")
		if !store.MayView(c.Get("user").(string), planID) {
			return echo.ErrNotFound
		}
		if err := live.Mark(c.Request().Context(), c.Response().Header(), planID); err != nil { // glue
			return echo.ErrServiceUnavailable.WithInternal(err) // glue
		} // glue
		return c.JSON(http.StatusOK, plan{store.Plan(planID)})
	})
	users.PATCH("/tasks/:taskID", func(c echo.Context) error {
		var body change
		if err := c.Bind(&body); err != nil {
			return err
		}
		userID := c.Get("user").(string)
		task, err := store.Rename(userID, c.Param("taskID"), body.Title)
		if err != nil {
			return echo.ErrNotFound
		}
		live.Changed(c.Request(), userID, task.ID) // glue
		return c.JSON(http.StatusOK, task)
	})
	return e
}
