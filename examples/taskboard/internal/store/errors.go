package store

import "errors"

// Errors of a Store. Compare with errors.Is; any other error comes from the database.
var (
	// ErrNotFound is returned for a plan or task that does not exist, or that the user has no
	// access to.
	ErrNotFound = errors.New("store: not found")
	// ErrForbidden is returned to a member whose role does not allow the change.
	ErrForbidden = errors.New("store: role does not allow this")
	// ErrNoSuchUser is returned by [Store.Invite] for an unknown e-mail address.
	ErrNoSuchUser = errors.New("store: no user has this address")
	// ErrEmailTaken is returned by [Store.CreateUser].
	ErrEmailTaken = errors.New("store: another user has this address")
	// ErrAlreadyMember is returned by [Store.Invite].
	ErrAlreadyMember = errors.New("store: already a member")
	// ErrAlreadyInvited is returned by [Store.Invite].
	ErrAlreadyInvited = errors.New("store: already invited")
	// ErrLastOwner is returned by [Store.RemoveMember]: a plan needs an owner.
	ErrLastOwner = errors.New("store: last owner of the plan")
	// ErrNotMember is returned for an assignee who is not in the plan.
	ErrNotMember = errors.New("store: assignee is not a member")
	// ErrFull is returned when a limit is reached: the tasks or people of a plan, or the plans or
	// invitations of a user.
	ErrFull = errors.New("store: limit reached")
	// ErrNewerDatabase is returned by [Open] for a database that a newer program has migrated.
	ErrNewerDatabase = errors.New("store: the database is newer than this program")
	// ErrOtherDatabase is returned by [Open] for a database that some other program has made.
	ErrOtherDatabase = errors.New("store: not a database of the taskboard")
)

// ConflictError is returned for a change that is not based on the current version of the task.
type ConflictError struct {
	Current Task
}

func (e *ConflictError) Error() string { return "store: the task has changed" }

// OrderConflictError is returned by [Store.ReorderTasks] for an order that does not contain every
// task of the plan exactly once.
type OrderConflictError struct {
	Current []string // the ids of all tasks in their order
}

func (e *OrderConflictError) Error() string { return "store: the plan has other tasks" }
