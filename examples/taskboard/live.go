package main

import (
	"context"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/transport"
)

// The events of the taskboard's own, besides those of package protocol.
const (
	// typeMembersUpdated tells everybody in a plan who is a member now: {members}.
	typeMembersUpdated protocol.Type = "members-updated"
	// typePlanShared tells one user of a plan that they can see from now on: {plan: {id, title}}.
	typePlanShared protocol.Type = "plan-shared"
)

// live is everything that the taskboard says to the hub.
type live struct {
	hub *room.Hub
	log *slog.Logger

	// A plan belongs to one of these locks; see inOrder. Two plans may share one, and then wait for each other for as long as a
	// commit takes. SQLite has one writer anyway.
	seed  maphash.Seed
	order [64]sync.Mutex
}

func newLive(db *store.Store, log *slog.Logger) *live {
	return &live{
		hub:  room.NewHub(&room.Options{Authorize: mayJoin(db), Logger: log}),
		log:  log,
		seed: maphash.MakeSeed(),
	}
}

// mayJoin returns what the hub asks at every join, after every renewal of a token, and every few minutes: one query. A plan that
// does not exist and a plan of others get the same answer. A database that fails is neither a yes nor a no: a join is
// refused for now, and who is in the plan stays for a while.
//
// The session is part of the question, for the connection that was made just before its user logged out everywhere.
func mayJoin(db *store.Store) func(ctx context.Context, id auth.Identity, planID string) error {
	return func(ctx context.Context, id auth.Identity, planID string) error {
		yes, err := db.MaySee(ctx, planID, id.UserID, sessionOf(id))
		if err == nil && !yes {
			return room.ErrForbidden
		}
		return err
	}
}

// inOrder runs change alone among the changes of this plan. A change commits, and then broadcasts: so the order of
// the events is the order of the commits, and a viewer who applies them one after the other ends with what the database holds. Without
// this, two requests could commit in one order and broadcast in the other.
//
// change must do nothing else, such as writing a response: others wait for it. Broadcasts do not wait for viewers.
//
// With a database whose row locks outlive a statement one would lock the plan's row in the transaction, and broadcast
// after the commit all the same, under a lock like this one or with a version in every event.
func (l *live) inOrder(planID string, change func() error) error {
	lock := l.orderOf(planID)
	lock.Lock()
	defer lock.Unlock()
	return change()
}

func (l *live) orderOf(planID string) *sync.Mutex {
	return &l.order[maphash.String(l.seed, planID)%uint64(len(l.order))]
}

// In the methods that follow r is the request that has made the change and userID who it came from. Author gives the tab that
// made it a receipt, since the answer to its request tells it the rest.

func (l *live) taskCreated(r *http.Request, userID string, t store.Task, p store.Progress) {
	l.told(r, t.PlanID, l.hub.BroadcastTaskCreated(r.Context(), t.PlanID, t, transport.Author(r, userID)))
	l.progressUpdated(r, userID, t.PlanID, p)
}

func (l *live) taskUpdated(r *http.Request, userID string, t store.Task, p store.Progress) {
	l.told(r, t.PlanID, l.hub.BroadcastTaskUpdated(r.Context(), t.PlanID, t, transport.Author(r, userID)))
	l.progressUpdated(r, userID, t.PlanID, p)
}

func (l *live) taskDeleted(r *http.Request, userID, planID, taskID string, p store.Progress) {
	l.told(r, planID, l.hub.BroadcastTaskDeleted(r.Context(), planID, taskID, transport.Author(r, userID)))
	l.progressUpdated(r, userID, planID, p)
}

func (l *live) tasksReordered(r *http.Request, userID, planID string, taskIDs []string) {
	l.told(r, planID, l.hub.BroadcastTaskReordered(r.Context(), planID, taskIDs, transport.Author(r, userID)))
}

// progressUpdated tells everybody, the author's tab included: no answer to a request has the progress.
func (l *live) progressUpdated(r *http.Request, userID, planID string, p store.Progress) {
	l.told(r, planID, l.hub.BroadcastProgressUpdated(r.Context(), planID, p, withoutExceptions(r, userID)))
}

func (l *live) membersUpdated(r *http.Request, userID, planID string, members []store.Member) {
	event := protocol.Event{Type: typeMembersUpdated, Data: struct {
		Members []store.Member `json:"members"`
	}{members}}
	l.told(r, planID, l.hub.Broadcast(r.Context(), planID, event, withoutExceptions(r, userID)))
}

// unassigned tells everybody of the tasks of a member who was removed.
func (l *live) unassigned(r *http.Request, userID string, tasks []store.Task) {
	for _, t := range tasks {
		l.told(r, t.PlanID, l.hub.BroadcastTaskUpdated(r.Context(), t.PlanID, t, withoutExceptions(r, userID)))
	}
}

// planShared tells a new member, wherever they are. Who is not connected sees the plan in their list next time.
func (l *live) planShared(r *http.Request, userID, planID, title string) {
	type plan struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	event := protocol.Event{Type: typePlanShared, Data: struct {
		Plan plan `json:"plan"`
	}{plan{planID, title}}}
	if _, err := l.hub.Notify(r.Context(), userID, event); err != nil {
		l.log.ErrorContext(r.Context(), "notify", "user", userID, "error", err)
	}
}

// revoke ends what a former member hears of the plan. Should it fail, the hub finds out by itself within minutes: it goes
// on asking mayJoin.
func (l *live) revoke(r *http.Request, planID, userID string) {
	if _, err := l.hub.Revoke(r.Context(), planID, userID); err != nil {
		l.log.ErrorContext(r.Context(), "revoke", "plan", planID, "user", userID, "error", err)
	}
}

// disconnect ends all connections of a user.
func (l *live) disconnect(r *http.Request, userID string) {
	if _, err := l.hub.Disconnect(r.Context(), userID); err != nil {
		l.log.ErrorContext(r.Context(), "disconnect", "user", userID, "error", err)
	}
}

// withoutExceptions says by whom a change was made and gives nobody a receipt in place of the event.
func withoutExceptions(r *http.Request, userID string) room.BroadcastOption {
	return room.Combine(room.By(userID), room.Mutation(r.Header.Get("X-Plan-Mutation")))
}

// told sees to an event that could not be told, too large a one for instance. The change is committed, so its request succeeds; those who look at the
// plan do not have it, and are told to load the plan again.
func (l *live) told(r *http.Request, planID string, err error) {
	if err == nil {
		return
	}
	l.log.ErrorContext(r.Context(), "broadcast", "plan", planID, "error", err)
	if err := l.hub.Resync(r.Context(), planID); err != nil {
		l.log.ErrorContext(r.Context(), "resync", "plan", planID, "error", err) // the hub is closed: all come back to another one
	}
}
