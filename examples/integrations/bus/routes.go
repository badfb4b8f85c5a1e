package bus

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/planrooms/planrooms/transport" // glue
)

// service has the handlers.
type service struct {
	store *Store
	bus   *Bus
	live  *Live // glue
}

// New returns the routes of the service.
func New(store *Store, bus *Bus, live *Live) http.Handler { // glue
	s := &service{store: store, bus: bus, live: live} // glue
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if errors.Is(err, ErrNotFound) {
			err = echo.ErrNotFound
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	e.Use(middleware.Recover(), middleware.Gzip())
	e.Use(echo.WrapMiddleware(transport.CaptureAuthor)) // glue
	e.GET("/ws", echo.WrapHandler(live.Socket()))       // glue
	users := e.Group("", s.login)
	users.DELETE("/login", s.logout)
	users.GET("/lists/:list", s.list)
	users.POST("/lists/:list/tasks", s.addTasks)
	users.DELETE("/lists/:list", s.deleteList)
	users.DELETE("/lists/:list/members/:user", s.removeMember)
	users.DELETE("/groups/:group/members/:user", s.leaveGroup)
	users.DELETE("/links/:link", s.deleteLink)
	users.PATCH("/tasks/:task", s.changeTask)
	users.DELETE("/tasks/:task", s.deleteTask)
	return e
}

func (s *service) login(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		who, err := s.store.Login(token(c))
		if err != nil {
			return echo.ErrUnauthorized
		}
		c.Set("login", who)
		return next(c)
	}
}

func token(c echo.Context) string {
	return strings.TrimPrefix(c.Request().Header.Get("Authorization"), "Bearer ")
}

func loginOf(c echo.Context) Login { return c.Get("login").(Login) }

// id returns a parameter of the path that is a number.
func id(c echo.Context, name string) int64 {
	n, err := parseID(c.Param(name))
	if err != nil {
		return 0 // no row has it
	}
	return n
}

// parseID returns the number whose decimal form is text: 1 for "1", and an error for "01" and "+1".
func parseID(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && strconv.FormatInt(n, 10) != text {
		err = strconv.ErrSyntax
	}
	return n, err
}

// publish publishes what the request has committed, and answers.
func (s *service) publish(c echo.Context, m Message, answer any) error {
	m.UserID = loginOf(c).UserID
	s.bus.Publish(c.Request().Context(), m)
	return c.JSON(http.StatusOK, answer)
}

func (s *service) logout(c echo.Context) error {
	s.store.Logout(token(c))
	who := loginOf(c)
	return s.publish(c, Message{Kind: LoggedOut, Subject: who.UserID, Session: who.Session}, nil)
}

func (s *service) list(c echo.Context) error {
	listID := id(c, "list")
	if err := s.store.MayView(loginOf(c), listID); err != nil {
		return err
	}
	if err := s.live.Mark(c, listID); err != nil { // glue
		return err // glue
	} // glue
	return c.JSON(http.StatusOK, map[string][]Task{"tasks": s.store.Tasks(listID)})
}

func (s *service) addTasks(c echo.Context) error {
	var body struct{ Titles []string }
	if err := c.Bind(&body); err != nil {
		return err
	}
	listID := id(c, "list")
	ids, err := s.store.Add(loginOf(c), listID, body.Titles)
	if err != nil {
		return err
	}
	return s.publish(c, Message{Kind: TasksAdded, ListID: listID, TaskIDs: ids}, ids)
}

// changeTask changes the title of a task, or moves it to another list.
func (s *service) changeTask(c echo.Context) error {
	var body struct {
		Title  *string
		ListID *int64
	}
	if err := c.Bind(&body); err != nil {
		return err
	}
	before, after, err := s.store.Change(loginOf(c), id(c, "task"), func(t *Task) {
		if body.Title != nil {
			t.Title = *body.Title
		}
		if body.ListID != nil {
			t.ListID = *body.ListID
		}
	})
	if err != nil {
		return err
	}
	m := Message{Kind: TaskChanged, ListID: before.ListID, TaskIDs: []int64{after.ID}}
	if before.ListID != after.ListID {
		m.Kind = TaskMoved
	}
	return s.publish(c, m, after)
}

func (s *service) deleteTask(c echo.Context) error {
	t, err := s.store.Delete(loginOf(c), id(c, "task"))
	if err != nil {
		return err
	}
	return s.publish(c, Message{Kind: TaskDeleted, ListID: t.ListID, TaskIDs: []int64{t.ID}}, nil)
}

func (s *service) deleteList(c echo.Context) error {
	s.store.DeleteList(id(c, "list"))
	return s.publish(c, Message{Kind: ListDeleted, ListID: id(c, "list")}, nil)
}

func (s *service) removeMember(c echo.Context) error {
	s.store.RemoveMember(id(c, "list"), c.Param("user"))
	return s.publish(c, Message{Kind: MemberRemoved, ListID: id(c, "list"), Subject: c.Param("user")}, nil)
}

func (s *service) leaveGroup(c echo.Context) error {
	s.store.LeaveGroup(c.Param("group"), c.Param("user"))
	return s.publish(c, Message{Kind: GroupChanged, Subject: c.Param("user")}, nil)
}

func (s *service) deleteLink(c echo.Context) error {
	listID := s.store.DeleteLink(c.Param("link"))
	return s.publish(c, Message{Kind: LinkDeleted, ListID: listID}, nil)
}
