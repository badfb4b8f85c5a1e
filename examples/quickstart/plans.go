package main

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
)

const (
	maxTitleBytes = 2000
	maxTasks      = 10_000 // so that an order of all tasks fits into one event
)

var (
	errNoTask    = errors.New("no such task")
	errPlanFull  = errors.New("plan is full")
	errNotAll    = errors.New("not every task exactly once")
	taskStatuses = []string{"not_started", "in_progress", "completed"}
)

type task struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Status string `json:"status"`
}

type progress struct {
	TotalTasks           int `json:"totalTasks"`
	CompletedTasks       int `json:"completedTasks"`
	CompletionPercentage int `json:"completionPercentage"`
}

// plans is the store. It is in memory, so every start begins with a new one.
type plans struct {
	byID map[string]*plan // fixed at creation

	mu     sync.RWMutex // guards the following; taken after plan.mu
	ofTask map[string]*plan
}

// plan is a list of tasks and who may see it.
//
// Its methods that change it call publish with the result while they hold the lock, so that the
// order of the events is the order of the changes. A broadcast does not wait for viewers, so it is
// safe under the lock. With a database this is not possible: a row lock ends with the commit, and
// the broadcast comes after it. Put a version into the task there, or hold a lock of the
// application across both.
type plan struct {
	id      string   // fixed at creation
	members []string // fixed at creation
	store   *plans   // fixed at creation

	mu    sync.Mutex // guards the following
	tasks []task
}

func newPlans() *plans {
	s := &plans{byID: make(map[string]*plan), ofTask: make(map[string]*plan)}
	s.add("demo", []string{"alice", "bob", "carol"},
		task{Title: "Book the meeting room", Status: "completed"},
		task{Title: "Write the invitation", Status: "in_progress"},
		task{Title: "Ask the guests about allergies", Status: "not_started"},
		task{Title: "Order lunch for twelve", Status: "not_started"},
		task{Title: "Print the name tags", Status: "not_started"},
	)
	s.add("other", []string{"carol"},
		task{Title: "Find a present for Alice", Status: "in_progress"},
		task{Title: "Keep it secret", Status: "not_started"},
	)
	return s
}

func (s *plans) add(id string, members []string, tasks ...task) {
	p := &plan{id: id, members: members, store: s}
	for _, t := range tasks {
		t.ID = newTaskID()
		p.tasks = append(p.tasks, t)
		s.ofTask[t.ID] = p
	}
	s.byID[id] = p
}

// newTaskID returns an ID that no later process uses again: a page that was loaded before a restart
// must not change a task that it does not show.
func newTaskID() string { return rand.Text()[:16] }

// find returns the plan if there is one and the user is a member, and nil otherwise.
func (s *plans) find(planID, userID string) *plan {
	if p := s.byID[planID]; p != nil && slices.Contains(p.members, userID) {
		return p
	}
	return nil
}

// findByTask returns the plan of a task if there is one and the user is a member, and nil
// otherwise.
func (s *plans) findByTask(taskID, userID string) *plan {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.ofTask[taskID]; p != nil && slices.Contains(p.members, userID) {
		return p
	}
	return nil
}

// snapshot returns the tasks in their order.
func (p *plan) snapshot() ([]task, progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]task{}, p.tasks...), p.progressLocked()
}

func (p *plan) create(title string, publish func(task, progress)) (task, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.tasks) >= maxTasks {
		return task{}, errPlanFull
	}
	t := task{ID: newTaskID(), Title: title, Status: taskStatuses[0]}
	p.tasks = append(p.tasks, t)
	p.store.mu.Lock()
	p.store.ofTask[t.ID] = p
	p.store.mu.Unlock()
	publish(t, p.progressLocked())
	return t, nil
}

// update changes the fields that are not nil.
func (p *plan) update(taskID string, title, status *string, publish func(task, progress)) (task, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.indexLocked(taskID)
	if i < 0 {
		return task{}, errNoTask
	}
	t := &p.tasks[i]
	if title != nil {
		t.Title = *title
	}
	if status != nil {
		t.Status = *status
	}
	publish(*t, p.progressLocked())
	return *t, nil
}

func (p *plan) remove(taskID string, publish func(progress)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := p.indexLocked(taskID)
	if i < 0 {
		return errNoTask
	}
	p.tasks = slices.Delete(p.tasks, i, i+1)
	p.store.mu.Lock()
	delete(p.store.ofTask, taskID)
	p.store.mu.Unlock()
	publish(p.progressLocked())
	return nil
}

// reorder takes the IDs of all tasks, each once.
func (p *plan) reorder(taskIDs []string, publish func()) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if taskIDs == nil || len(taskIDs) != len(p.tasks) {
		return errNotAll
	}
	byID := make(map[string]task, len(p.tasks))
	for _, t := range p.tasks {
		byID[t.ID] = t
	}
	tasks := make([]task, 0, len(taskIDs))
	for _, id := range taskIDs {
		t, ok := byID[id]
		if !ok {
			return errNotAll
		}
		delete(byID, id) // so that it is unknown the second time
		tasks = append(tasks, t)
	}
	p.tasks = tasks
	publish()
	return nil
}

func (p *plan) indexLocked(taskID string) int {
	return slices.IndexFunc(p.tasks, func(t task) bool { return t.ID == taskID })
}

func (p *plan) progressLocked() progress {
	done := progress{TotalTasks: len(p.tasks)}
	for _, t := range p.tasks {
		if t.Status == "completed" {
			done.CompletedTasks++
		}
	}
	if done.TotalTasks > 0 {
		// rounded
		done.CompletionPercentage = (200*done.CompletedTasks + done.TotalTasks) / (2 * done.TotalTasks)
	}
	return done
}
