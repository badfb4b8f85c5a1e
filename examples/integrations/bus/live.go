// glue: this file

package bus

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// Live is the subscriber of the bus that makes the service live. At the end of the process, end the
// HTTP server, wait for the bus, and call Hub.Shutdown.
type Live struct {
	Hub   *room.Hub
	store *Store
	order sync.Mutex // held while tasks are read again and broadcast
}

// NewLive subscribes to the bus.
func NewLive(store *Store, bus *Bus) *Live {
	l := &Live{store: store}
	l.Hub = room.NewHub(&room.Options{Authorize: l.mayView, Logger: slog.Default()})
	bus.Subscribe(l.handle)
	return l
}

// planID is the plan of a list.
func planID(listID int64) string { return strconv.FormatInt(listID, 10) }

// Socket returns the handler of the WebSocket. It accepts the tokens of the routes.
func (l *Live) Socket() http.Handler {
	return transport.NewHandler(l.Hub, auth.VerifierFunc(func(_ context.Context, token string) (auth.Identity, error) {
		who, err := l.store.Login(token)
		if err != nil {
			return auth.Identity{}, auth.ErrInvalidToken
		}
		return auth.Identity{UserID: who.UserID, Name: who.UserID, SessionID: who.Session, Claims: map[string]any{"link": who.Link}}, nil
	}), &transport.Options{Logger: slog.Default()})
}

func (l *Live) mayView(_ context.Context, id auth.Identity, plan string) error {
	listID, err := parseID(plan) // the inverse of planID: no other spelling is a plan
	link, _ := id.Claims["link"].(string)
	if err != nil || l.store.MayView(Login{UserID: id.UserID, Link: link}, listID) != nil {
		return room.ErrForbidden // also for a list that does not exist
	}
	return nil
}

// Mark puts the position of a list into the headers of the answer. Call it before the list is read.
func (l *Live) Mark(c echo.Context, listID int64) error {
	position, err := l.Hub.Position(c.Request().Context(), planID(listID))
	if err != nil {
		return err
	}
	c.Response().Header().Set(transport.HeaderPosition, position.String())
	c.Response().Header().Set("Cache-Control", "no-store")
	return nil
}

// handle passes a message on to the viewers. What it describes is committed, whatever happens here.
func (l *Live) handle(ctx context.Context, m Message) {
	err := l.access(ctx, m)
	if err == nil && len(m.TaskIDs) > 0 {
		err = l.broadcast(ctx, m)
	}
	if err != nil {
		slog.ErrorContext(ctx, "live", "message", m.Kind, "list", m.ListID, "error", err)
	}
}

// access ends the access that a user has lost.
func (l *Live) access(ctx context.Context, m Message) (err error) {
	switch m.Kind {
	case MemberRemoved, GroupChanged: // not Revoke: a late message may be about a user who is back
		_, err = l.Hub.RecheckUser(ctx, m.Subject)
	case LinkDeleted: // only the claims of the visitors say who they are
		_, err = l.Hub.Recheck(ctx, planID(m.ListID))
	case ListDeleted:
		_, err = l.Hub.ClosePlan(ctx, planID(m.ListID))
	case LoggedOut:
		_, err = l.Hub.Disconnect(ctx, m.Subject, room.OnlySession(m.Session), room.SignInAgain())
	}
	return err
}

// broadcast reads the tasks of a message again. Messages come in any order, so what it broadcasts
// depends on the tasks as they are now, and not on the kind of the message.
func (l *Live) broadcast(ctx context.Context, m Message) error {
	l.order.Lock()
	defer l.order.Unlock()
	plan, author := planID(m.ListID), room.AuthorFrom(ctx, m.UserID)
	var events []protocol.Event
	for _, taskID := range m.TaskIDs {
		key := strconv.FormatInt(taskID, 10)
		switch t, err := l.store.Task(taskID); {
		case err != nil:
			events = append(events, protocol.TaskDeleted(taskID))
		case t.ListID != m.ListID: // it was moved, by this message or since
			move := room.TaskMove{From: plan, To: planID(t.ListID), TaskID: t.ID, Task: t}
			if err := l.Hub.BroadcastTaskMoved(ctx, move, author, room.Version(key, t.Version)); err != nil {
				return err
			}
		default:
			event := protocol.TaskUpdated(t)
			if t.Version == 1 { // else it was changed since, and viewers add it with the update
				event = protocol.TaskCreated(t)
			}
			event.Version = protocol.EventVersion{Key: key, N: t.Version}
			events = append(events, event)
		}
	}
	_, err := l.Hub.BroadcastBatch(ctx, plan, events, author)
	return err
}
