package sessions

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync" // glue

	"github.com/gorilla/mux"

	"github.com/planrooms/planrooms/protocol"  // glue
	"github.com/planrooms/planrooms/room"      // glue
	"github.com/planrooms/planrooms/transport" // glue
)

const cookieName = "session"

// service has the handlers.
type service struct {
	db    *DB
	hub   *room.Hub  // glue
	order sync.Mutex // glue: held during a change of tasks and its broadcast
}

// New returns the routes of the service.
func New(db *DB, hub *room.Hub) http.Handler { // glue
	s := &service{db: db, hub: hub} // glue
	r := mux.NewRouter()
	r.Handle("/ws", socket(db, hub)).Methods(http.MethodGet) // glue
	r.HandleFunc("/login", s.login).Methods(http.MethodPost)
	for _, route := range []struct {
		method, path string
		handle       func(r *http.Request, session Session) (any, error)
	}{
		{http.MethodDelete, "/login", s.logout},
		{http.MethodPost, "/plans/{plan}/tasks", s.addTasks},
		{http.MethodDelete, "/plans/{plan}", s.deletePlan},
		{http.MethodDelete, "/plans/{plan}/members/{user}", s.removeMember},
		{http.MethodDelete, "/groups/{team}/members/{user}", s.leaveTeam},
		{http.MethodDelete, "/links/{link}", s.deleteLink},
		{http.MethodPatch, "/tasks/{task}", s.changeTask},
		{http.MethodDelete, "/tasks/{task}", s.deleteTask},
	} {
		r.HandleFunc(route.path, s.with(func(_ http.ResponseWriter, r *http.Request, session Session) (any, error) {
			return route.handle(r, session)
		})).Methods(route.method)
	}
	r.HandleFunc("/plans/{plan}", s.with(s.plan)).Methods(http.MethodGet)
	return r
}

// session returns the session of a request, or ErrNoSession.
func (db *DB) session(r *http.Request) (Session, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return Session{}, ErrNoSession
	}
	return db.Session(r.Context(), cookie.Value)
}

// with calls handle with the session of the request, and writes the answer.
func (s *service) with(handle func(http.ResponseWriter, *http.Request, Session) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		session, err := s.db.session(r)
		var answer any
		if err == nil {
			answer, err = handle(w, r, session)
		}
		var syntax *json.SyntaxError
		switch {
		case err == nil:
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(answer) // the client may be gone
		case errors.Is(err, ErrNoSession):
			http.Error(w, "unauthorized", http.StatusUnauthorized)
		case errors.Is(err, ErrNotFound):
			http.NotFound(w, r)
		case errors.As(err, &syntax):
			http.Error(w, "bad request", http.StatusBadRequest)
		default:
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
		}
	}
}

// id returns the ID of the task in the path. It accepts the decimal form alone, not "07" or "+7".
func id(r *http.Request) int64 {
	text := mux.Vars(r)["task"]
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text {
		return 0 // no row has it
	}
	return n
}

// login sets the cookie. A real service asks a user for a password, and sets Secure where it is
// served over TLS.
func (s *service) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ User, Link string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	cookie, err := s.db.Login(r.Context(), body.User, body.Link)
	if err != nil {
		http.Error(w, "unavailable", http.StatusServiceUnavailable)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: cookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

func (s *service) logout(r *http.Request, session Session) (any, error) {
	if err := s.db.Logout(r.Context(), session.ID); err != nil {
		return nil, err
	}
	logged(s.hub.Disconnect(r.Context(), session.UserID, room.OnlySession(session.ID), room.SignInAgain())) // glue
	return nil, nil
}

func (s *service) plan(w http.ResponseWriter, r *http.Request, session Session) (any, error) {
	planID := mux.Vars(r)["plan"]
	if err := s.db.MayView(r.Context(), session.ID, planID); err != nil {
		return nil, err
	}
	position, err := s.hub.Position(r.Context(), planID) // glue: before the plan is read
	if err != nil {                                      // glue
		return nil, err // glue
	} // glue
	w.Header().Set(transport.HeaderPosition, position.String()) // glue
	w.Header().Set("Cache-Control", "no-store")                 // glue
	tasks, err := s.db.Tasks(r.Context(), planID)
	return map[string][]Task{"tasks": tasks}, err
}

func (s *service) addTasks(r *http.Request, session Session) (any, error) {
	var body struct{ Titles []string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	planID := mux.Vars(r)["plan"]
	s.order.Lock()         // glue
	defer s.order.Unlock() // glue
	added, err := s.db.Add(r.Context(), session.ID, planID, body.Titles)
	if err != nil {
		return nil, err
	}
	// glue {
	events := make([]protocol.Event, len(added))
	for i, t := range added {
		events[i] = protocol.TaskCreated(t)
	}
	logged(s.hub.BroadcastBatch(r.Context(), planID, events, transport.Author(r, session.UserID)))
	// } glue
	return added, nil
}

// changeTask changes the title of a task, or moves it to another plan.
func (s *service) changeTask(r *http.Request, session Session) (any, error) {
	var body struct{ Title, PlanID *string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	s.order.Lock()         // glue
	defer s.order.Unlock() // glue
	from, t, err := s.db.Change(r.Context(), session.ID, id(r), body.Title, body.PlanID)
	if err != nil {
		return nil, err
	}
	// glue {
	author, version := transport.Author(r, session.UserID), room.Version(strconv.FormatInt(t.ID, 10), t.Version)
	if from == t.PlanID {
		logged(s.hub.BroadcastTaskUpdated(r.Context(), t.PlanID, t, author, version))
	} else {
		move := room.TaskMove{From: from, To: t.PlanID, TaskID: t.ID, Task: t}
		logged(nil, s.hub.BroadcastTaskMoved(r.Context(), move, author, version))
	}
	// } glue
	return t, nil
}

func (s *service) deleteTask(r *http.Request, session Session) (any, error) {
	s.order.Lock()         // glue
	defer s.order.Unlock() // glue
	t, err := s.db.Delete(r.Context(), session.ID, id(r))
	if err != nil {
		return nil, err
	}
	logged(s.hub.BroadcastTaskDeleted(r.Context(), t.PlanID, t.ID, transport.Author(r, session.UserID))) // glue
	return nil, nil
}

func (s *service) deletePlan(r *http.Request, _ Session) (any, error) {
	planID := mux.Vars(r)["plan"]
	if err := s.db.DeletePlan(r.Context(), planID); err != nil {
		return nil, err
	}
	logged(s.hub.ClosePlan(r.Context(), planID)) // glue
	return nil, nil
}

func (s *service) removeMember(r *http.Request, _ Session) (any, error) {
	planID, userID := mux.Vars(r)["plan"], mux.Vars(r)["user"]
	if err := s.db.RemoveMember(r.Context(), planID, userID); err != nil {
		return nil, err
	}
	logged(s.hub.Revoke(r.Context(), planID, userID)) // glue
	return nil, nil
}

// leaveTeam ends what the user could see by the team alone.
func (s *service) leaveTeam(r *http.Request, _ Session) (any, error) {
	userID := mux.Vars(r)["user"]
	if err := s.db.LeaveTeam(r.Context(), mux.Vars(r)["team"], userID); err != nil {
		return nil, err
	}
	logged(s.hub.RecheckUser(context.WithoutCancel(r.Context()), userID)) // glue: waits for Authorize
	return nil, nil
}

func (s *service) deleteLink(r *http.Request, _ Session) (any, error) {
	planID, err := s.db.DeleteLink(r.Context(), mux.Vars(r)["link"])
	if err != nil {
		return nil, err
	}
	logged(s.hub.Recheck(context.WithoutCancel(r.Context()), planID)) // glue: waits for Authorize
	return nil, nil
}
