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
	"github.com/planrooms/planrooms/room/metrics"
	"github.com/planrooms/planrooms/transport"
)

// Events of the taskboard, in addition to those of package protocol.
const (
	// typeMembersUpdated has the members of the plan: {members}.
	typeMembersUpdated protocol.Type = "members-updated"
	// typePlanUpdated has the new title of the plan: {title}.
	typePlanUpdated protocol.Type = "plan-updated"
)

// Notices to single users.
const (
	// typeInvited goes to a user who is invited to a plan: {invitation}.
	typeInvited protocol.Type = "invited"
	// typePlanShared goes to a user who has become a member of a plan: {plan: {id, title}}.
	typePlanShared protocol.Type = "plan-shared"
	// typePlanDeleted goes to the former members of a plan: {plan: {id, title}}.
	typePlanDeleted protocol.Type = "plan-deleted"
	// typeListsChanged goes to a user whose list of plans or of invitations has changed, or who
	// owns a plan whose open invitations have changed: {planId}.
	typeListsChanged protocol.Type = "lists-changed"
)

// live is everything that the taskboard sends through the hub.
type live struct {
	hub     *room.Hub
	metrics *metrics.Metrics // of the hub
	log     *slog.Logger

	// Each plan has one of these locks; see inOrder. Two plans may share one and then wait for each
	// other. SQLite has one writer in any case.
	seed  maphash.Seed
	order [64]sync.Mutex
}

func newLive(db *store.Store, log *slog.Logger) *live {
	m := metrics.New(nil)
	hub := room.NewHub(&room.Options{Authorize: mayJoin(db), Logger: log, Observer: m.Observer(room.Observer{})})
	m.Watch(hub)
	return &live{hub: hub, metrics: m, log: log, seed: maphash.MakeSeed()}
}

// mayJoin returns the function that the hub calls at every join, after every renewal of a token,
// and every few minutes. It is one query. A plan that does not exist and a plan without access
// get the same answer. An error of the database is neither: the hub refuses a join for now, and
// keeps members for a while.
//
// The query includes the session, for a connection that was made just before its user logged out
// everywhere.
func mayJoin(db *store.Store) func(ctx context.Context, id auth.Identity, planID string) error {
	return func(ctx context.Context, id auth.Identity, planID string) error {
		yes, err := db.MaySee(ctx, planID, id.UserID, id.SessionID)
		if err == nil && !yes {
			return room.ErrForbidden
		}
		return err
	}
}

// inOrder runs change while no other change of this plan runs. A change commits and then
// broadcasts, so the order of the events is the order of the commits, and a viewer who applies
// them in order ends with the state of the database. Without the lock, two requests could commit
// in one order and broadcast in the other.
//
// change must not do anything else, such as writing a response: other requests wait for it.
// Broadcast and Notify do not wait for viewers. Revoke and ClosePlan may take 100 ms, for
// connections in the middle of a frame.
//
// A row lock of the database ends with the transaction, before the broadcast, so it cannot
// replace this lock. Several processes need [room.Version] in every event instead.
func (l *live) inOrder(planID string, change func() error) error {
	lock := l.orderOf(planID)
	lock.Lock()
	defer lock.Unlock()
	return change()
}

func (l *live) orderOf(planID string) *sync.Mutex {
	return &l.order[maphash.String(l.seed, planID)%uint64(len(l.order))]
}

// In the following methods r is the request that made the change and userID its author. With
// Author the author's tab gets a receipt: the answer to its request has the content.

func (l *live) taskCreated(r *http.Request, userID string, t store.Task, p store.Progress) {
	l.broadcast(r, t.PlanID, protocol.TaskCreated(t), transport.Author(r, userID))
	l.progressUpdated(r, userID, t.PlanID, p)
}

func (l *live) taskUpdated(r *http.Request, userID string, t store.Task, p store.Progress) {
	l.broadcast(r, t.PlanID, protocol.TaskUpdated(t), transport.Author(r, userID))
	l.progressUpdated(r, userID, t.PlanID, p)
}

func (l *live) taskDeleted(r *http.Request, userID, planID, taskID string, p store.Progress) {
	l.broadcast(r, planID, protocol.TaskDeleted(taskID), transport.Author(r, userID))
	l.progressUpdated(r, userID, planID, p)
}

// taskRestored sends the task, which clients append, and then the order of all tasks.
func (l *live) taskRestored(r *http.Request, userID string, restored store.Restored) {
	planID := restored.Task.PlanID
	l.broadcast(r, planID, protocol.TaskCreated(restored.Task), transport.Author(r, userID))
	l.tasksReordered(r, userID, planID, restored.TaskIDs)
	l.progressUpdated(r, userID, planID, restored.Progress)
}

func (l *live) tasksReordered(r *http.Request, userID, planID string, taskIDs []string) {
	l.broadcast(r, planID, protocol.TaskReordered(taskIDs), transport.Author(r, userID))
}

// progressUpdated includes the author's tab: no answer to a request has the progress.
func (l *live) progressUpdated(r *http.Request, userID, planID string, p store.Progress) {
	l.broadcast(r, planID, protocol.ProgressUpdated(p), toEveryTab(r, userID))
}

func (l *live) membersUpdated(r *http.Request, userID, planID string, members []store.Member) {
	event := protocol.Event{Type: typeMembersUpdated, Data: struct {
		Members []store.Member `json:"members"`
	}{members}}
	l.broadcast(r, planID, event, toEveryTab(r, userID))
}

// planRenamed sends the title to the viewers of the plan. The lists of its members change too.
func (l *live) planRenamed(r *http.Request, userID, planID, title string, members []store.Member) {
	event := protocol.Event{Type: typePlanUpdated, Data: struct {
		Title string `json:"title"`
	}{title}}
	l.broadcast(r, planID, event, toEveryTab(r, userID))
	for _, m := range members {
		l.listsChanged(r, m.UserID, planID)
	}
}

// unassigned sends the tasks of a member who was removed.
func (l *live) unassigned(r *http.Request, userID string, tasks []store.Task) {
	for _, t := range tasks {
		l.broadcast(r, t.PlanID, protocol.TaskUpdated(t), toEveryTab(r, userID))
	}
}

type planTitle struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// planShared goes to all tabs of a new member.
func (l *live) planShared(r *http.Request, userID string, plan store.PlanSummary) {
	l.notify(r, userID, typePlanShared, struct {
		Plan planTitle `json:"plan"`
	}{planTitle{plan.ID, plan.Title}})
}

// planDeleted removes all viewers from the plan's room and then notifies the former members. If
// ClosePlan fails, the hub removes the viewers at their next call of mayJoin, within minutes.
func (l *live) planDeleted(r *http.Request, planID string, deleted store.DeletedPlan) {
	if _, err := l.hub.ClosePlan(r.Context(), planID); err != nil {
		l.log.ErrorContext(r.Context(), "close plan", "plan", planID, "error", err)
	}
	for _, userID := range deleted.MemberIDs {
		l.notify(r, userID, typePlanDeleted, struct {
			Plan planTitle `json:"plan"`
		}{planTitle{planID, deleted.Title}})
	}
	for _, userID := range deleted.InviteeIDs {
		l.listsChanged(r, userID, planID)
	}
}

func (l *live) invited(r *http.Request, userID string, invitation store.Invitation) {
	l.notify(r, userID, typeInvited, struct {
		Invitation store.Invitation `json:"invitation"`
	}{invitation})
}

func (l *live) listsChanged(r *http.Request, userID, planID string) {
	l.notify(r, userID, typeListsChanged, struct {
		PlanID string `json:"planId"`
	}{planID})
}

// notify sends a notice to all connections of a user. A user without a connection sees the change
// when they load the page.
func (l *live) notify(r *http.Request, userID string, kind protocol.Type, data any) {
	if _, err := l.hub.Notify(r.Context(), userID, protocol.Event{Type: kind, Data: data}); err != nil {
		l.log.ErrorContext(r.Context(), "notify", "user", userID, "error", err)
	}
}

// revoke removes a former member from the plan's room. If it fails, the hub removes them at its
// next call of mayJoin, within minutes.
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

// disconnectSession ends the connections of one login of a user. Their clients ask for a new token,
// which they do not get.
func (l *live) disconnectSession(r *http.Request, userID, sessionID string) {
	if _, err := l.hub.Disconnect(r.Context(), userID, room.OnlySession(sessionID), room.SignInAgain()); err != nil {
		l.log.ErrorContext(r.Context(), "disconnect", "user", userID, "error", err)
	}
}

// toEveryTab names the author of a change. Unlike Author it gives the event to the author's tab
// too.
func toEveryTab(r *http.Request, userID string) room.BroadcastOption {
	return room.Combine(room.By(userID), room.Mutation(r.Header.Get(transport.HeaderMutation)))
}

// broadcast sends an event to the viewers of a plan. If that fails, because the event is too large
// for instance, the change is committed all the same, so its request succeeds. The viewers miss the
// event, so they are asked to load the plan.
func (l *live) broadcast(r *http.Request, planID string, event protocol.Event, author room.BroadcastOption) {
	_, err := l.hub.Broadcast(r.Context(), planID, event, author)
	if err == nil {
		return
	}
	l.log.ErrorContext(r.Context(), "broadcast", "plan", planID, "error", err)
	if err := l.hub.Resync(r.Context(), planID); err != nil {
		l.log.ErrorContext(r.Context(), "resync", "plan", planID, "error", err) // the hub is closed
	}
}
