package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// Status is the status of a task.
type Status string

// The statuses.
const (
	StatusNotStarted Status = "not_started"
	StatusInProgress Status = "in_progress"
	StatusCompleted  Status = "completed"
)

// Valid reports whether s is one of the statuses.
func (s Status) Valid() bool {
	return s == StatusNotStarted || s == StatusInProgress || s == StatusCompleted
}

// maxTasks bounds the order of all tasks, which is sent as one event.
const maxTasks = 1000

// Task is a task. Answers and events contain this JSON.
type Task struct {
	ID        string    `json:"id"`
	PlanID    string    `json:"planId"`
	Title     string    `json:"title"`
	Notes     string    `json:"notes"`
	Status    Status    `json:"status"`
	Assignee  *string   `json:"assignee"` // a user ID; nil: unassigned
	Version   int64     `json:"version"`  // 1 at first, plus 1 with each change
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// NewTask has the fields of a task that its author sets.
type NewTask struct {
	Title    string
	Notes    string
	Assignee *string
}

// TaskPatch is a change of one version of a task. Fields that are nil do not change.
type TaskPatch struct {
	Version  int64
	Title    *string
	Notes    *string
	Status   *Status
	Assignee **string // a pointer to nil unassigns the task
}

// PlanOfTask returns the plan of a task. Error: ErrNotFound. A task never moves to another plan.
func (s *Store) PlanOfTask(ctx context.Context, userID, taskID string) (planID string, err error) {
	err = s.view(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			SELECT tasks.plan_id FROM tasks JOIN members ON members.plan_id = tasks.plan_id
			WHERE tasks.id = ? AND members.user_id = ?`, taskID, userID).Scan(&planID)
	})
	return planID, found(err)
}

// CreateTask adds a task at the end of the plan. Errors: ErrNotFound, ErrForbidden, ErrNotMember,
// ErrFull.
func (s *Store) CreateTask(ctx context.Context, userID, planID string, n NewTask) (t Task, p Progress, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if err := requireEditor(ctx, tx, planID, userID); err != nil {
			return err
		}
		if t, err = insertTask(ctx, tx, planID, n, StatusNotStarted); err != nil {
			return err
		}
		if p, err = progressOf(ctx, tx, planID); err == nil && p.TotalTasks > maxTasks {
			return ErrFull
		}
		return err
	})
	return t, p, err
}

// UpdateTask changes a task if it still has the version that the change is based on. Errors:
// ErrNotFound, ErrForbidden, ErrNotMember, [*ConflictError].
func (s *Store) UpdateTask(ctx context.Context, userID, taskID string, patch TaskPatch) (t Task, p Progress, err error) {
	err = s.update(ctx, func(tx *sql.Tx) (err error) {
		if t, err = editable(ctx, tx, userID, taskID, &patch.Version); err != nil {
			return err
		}
		if patch.Title != nil {
			t.Title = *patch.Title
		}
		if patch.Notes != nil {
			t.Notes = *patch.Notes
		}
		if patch.Status != nil {
			t.Status = *patch.Status
		}
		if patch.Assignee != nil {
			t.Assignee = *patch.Assignee
			if err := checkAssignee(ctx, tx, t.PlanID, t.Assignee); err != nil {
				return err
			}
		}
		if err := saveTask(ctx, tx, &t); err != nil {
			return err
		}
		p, err = progressOf(ctx, tx, t.PlanID)
		return err
	})
	return t, p, err
}

// DeleteTask deletes a task; if version is not nil, only that version of it. [Store.RestoreTask]
// brings it back for a day. Errors: ErrNotFound, ErrForbidden, [*ConflictError].
func (s *Store) DeleteTask(ctx context.Context, userID, taskID string, version *int64) (p Progress, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		t, err := editable(ctx, tx, userID, taskID, version)
		if err != nil {
			return err
		}
		if err := keepDeleted(ctx, tx, t.PlanID, taskID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM tasks WHERE id = ?", taskID); err != nil {
			return err
		}
		p, err = progressOf(ctx, tx, t.PlanID)
		return err
	})
	return p, err
}

func taskIDsOf(ctx context.Context, tx *sql.Tx, planID string) ([]string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT id FROM tasks WHERE plan_id = ? ORDER BY rank", planID)
	return all(rows, err, func(rows *sql.Rows, id *string) error { return rows.Scan(id) })
}

// ReorderTasks sets the order of the tasks of a plan. taskIDs must contain the ID of each task
// once. Errors: ErrNotFound, ErrForbidden, [*OrderConflictError].
func (s *Store) ReorderTasks(ctx context.Context, userID, planID string, taskIDs []string) error {
	return s.update(ctx, func(tx *sql.Tx) error {
		if err := requireEditor(ctx, tx, planID, userID); err != nil {
			return err
		}
		current, err := taskIDsOf(ctx, tx, planID)
		if err != nil {
			return err
		}
		if !slices.Equal(slices.Sorted(slices.Values(current)), slices.Sorted(slices.Values(taskIDs))) {
			return &OrderConflictError{Current: current}
		}
		order, err := json.Marshal(taskIDs)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE tasks SET rank = place.key FROM json_each(?) AS place
			WHERE tasks.id = place.value AND tasks.plan_id = ?`, string(order), planID)
		return err
	})
}

const taskColumns = "SELECT id, plan_id, title, notes, status, assignee, version, created_at, updated_at FROM tasks "

// scanTask reads what taskColumns selects, with the Scan of a row.
func scanTask(scan func(dest ...any) error, t *Task) error {
	var created, updated int64
	err := scan(&t.ID, &t.PlanID, &t.Title, &t.Notes, &t.Status, &t.Assignee, &t.Version, &created, &updated)
	t.CreatedAt, t.UpdatedAt = timeOf(created), timeOf(updated)
	return err
}

// tasksOf returns the tasks of a plan in their order.
func tasksOf(ctx context.Context, tx *sql.Tx, planID string) ([]Task, error) {
	rows, err := tx.QueryContext(ctx, taskColumns+"WHERE plan_id = ? ORDER BY rank", planID)
	return all(rows, err, func(rows *sql.Rows, t *Task) error { return scanTask(rows.Scan, t) })
}

// editable returns a task that the user may change; if version is not nil, only in that version.
func editable(ctx context.Context, tx *sql.Tx, userID, taskID string, version *int64) (t Task, err error) {
	if err := scanTask(tx.QueryRowContext(ctx, taskColumns+"WHERE id = ?", taskID).Scan, &t); err != nil {
		return t, found(err)
	}
	if err := requireEditor(ctx, tx, t.PlanID, userID); err != nil {
		return t, err
	}
	if version != nil && *version != t.Version {
		return t, &ConflictError{Current: t}
	}
	return t, nil
}

func insertTask(ctx context.Context, tx *sql.Tx, planID string, n NewTask, status Status) (Task, error) {
	if err := checkAssignee(ctx, tx, planID, n.Assignee); err != nil {
		return Task{}, err
	}
	made := now()
	t := Task{
		ID: newID(), PlanID: planID, Title: n.Title, Notes: n.Notes, Status: status, Assignee: n.Assignee,
		Version: 1, CreatedAt: timeOf(made), UpdatedAt: timeOf(made),
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO tasks (id, plan_id, rank, title, notes, status, assignee, version, created_at, updated_at)
		VALUES (?, ?, (SELECT ifnull(max(rank), -1) + 1 FROM tasks WHERE plan_id = ?), ?, ?, ?, ?, ?, ?, ?)`,
		t.ID, planID, planID, t.Title, t.Notes, t.Status, t.Assignee, t.Version, made, made)
	return t, err
}

// saveTask writes a task as its next version.
func saveTask(ctx context.Context, tx *sql.Tx, t *Task) error {
	changed := now()
	t.Version++
	t.UpdatedAt = timeOf(changed)
	_, err := tx.ExecContext(ctx, "UPDATE tasks SET title = ?, notes = ?, status = ?, assignee = ?, version = ?, updated_at = ? WHERE id = ?",
		t.Title, t.Notes, t.Status, t.Assignee, t.Version, changed, t.ID)
	return err
}

func checkAssignee(ctx context.Context, tx *sql.Tx, planID string, assignee *string) error {
	if assignee == nil {
		return nil
	}
	_, err := roleOf(ctx, tx, planID, *assignee)
	if errors.Is(err, ErrNotFound) {
		return ErrNotMember
	}
	return err
}

// unassign unassigns the tasks of a user in the plan, and returns them.
func unassign(ctx context.Context, tx *sql.Tx, planID, userID string) ([]Task, error) {
	rows, err := tx.QueryContext(ctx, taskColumns+"WHERE plan_id = ? AND assignee = ? ORDER BY rank", planID, userID)
	tasks, err := all(rows, err, func(rows *sql.Rows, t *Task) error { return scanTask(rows.Scan, t) })
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		tasks[i].Assignee = nil
		if err := saveTask(ctx, tx, &tasks[i]); err != nil {
			return nil, err
		}
	}
	return tasks, nil
}
