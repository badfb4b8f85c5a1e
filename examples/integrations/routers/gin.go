package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/planrooms/planrooms/examples/integrations/internal/tasks"
)

// Gin returns the service on gin.
func Gin(store *tasks.Store, live *Live) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.Use(gin.Recovery())
	e.GET("/ws", gin.WrapH(live.Socket)) // glue
	users := e.Group("/", func(c *gin.Context) {
		userID, ok := store.Login(bearer(c.Request))
		if !ok {
			c.AbortWithStatus(http.StatusUnauthorized)
			return
		}
		c.Set("user", userID)
	})
	users.GET("/plans/:planID", func(c *gin.Context) {
		planID := c.Param("planID")
		if !store.MayView(c.GetString("user"), planID) {
			c.AbortWithStatus(http.StatusNotFound)
			return
		}
		if err := live.Mark(c.Request.Context(), c.Writer.Header(), planID); err != nil { // glue
			c.AbortWithStatus(http.StatusServiceUnavailable) // glue
			return                                           // glue
		} // glue
		c.JSON(http.StatusOK, plan{store.Plan(planID)})
	})
	users.PATCH("/tasks/:taskID", func(c *gin.Context) {
		var body change
		if err := c.ShouldBindJSON(&body); err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		task, err := store.Rename(c.GetString("user"), c.Param("taskID"), body.Title)
		if err != nil {
			c.AbortWithStatus(http.StatusNotFound)
			return
		}
		live.Changed(c.Request, c.GetString("user"), task.ID) // glue
		c.JSON(http.StatusOK, task)
	})
	return e
}
