package main

import (
	"crypto/rand"
	"errors"
	"slices"
	"sync"
)

const (
	maxTitleBytes = 2000
	maxTasks      = 10_000 // so that an order of all of them fits into one event
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

// plans is the store: in memory, and new at every start.
type plans struct {
	byID map[string]*plan // fixed at creation

	mu     sync.RWMutex // guards the following; taken after plan.mu
	ofTask map[string]*plan
}

// plan is a list of tasks and who may see it.
//
// Its methods that change it call tell with the outcome before they give up the lock. A broadcast is made there, so that the
// order of events is the order of changes; it returns at once, whoever is listening. A service with a database
// would hold its row lock across the call, or carry a version in the data.
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
		task{Title: "Ask everybody for their allergies", Status: "not_started"},
		task{Title: "Order lunch for twelve", Status: "not_started"},
		task{Title: "Print the name tags", Status: "not_started"},
	)
	s.add("other", []string{"carol"},
		task{Title: "Find a present for Alice", Status: "in_progress"},
		task{Title: "Tell nobody", Status: "not_started"},
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

// newTaskID returns an id that is never used again, also not by the next process: a page from before a restart
// must not change another task than it shows.
func newTaskID() string { return rand.Text()[:16] }

// find returns the plan if there is one and the user is a member, and nil otherwise.
func (s *plans) find(planID, userID string) *plan {
	if p := s.byID[planID]; p != nil && slices.Contains(p.members, userID) {
		return p
	}
	return nil
}

// findByTask returns the plan of a task if there is one and the user is a member, and nil otherwise.
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

func (p *plan) create(title string, tell func(task, progress)) (task, error) {
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
	tell(t, p.progressLocked())
	return t, nil
}

// update changes what is not nil.
func (p *plan) update(taskID string, title, status *string, tell func(task, progress)) (task, error) {
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
	tell(*t, p.progressLocked())
	return *t, nil
}

func (p *plan) remove(taskID string, tell func(progress)) error {
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
	tell(p.progressLocked())
	return nil
}

// reorder takes the ids of all tasks, each once.
func (p *plan) reorder(taskIDs []string, tell func()) error {
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
		delete(byID, id) // a second time it is unknown
		tasks = append(tasks, t)
	}
	p.tasks = tasks
	tell()
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
		done.CompletionPercentage = (200*done.CompletedTasks + done.TotalTasks) / (2 * done.TotalTasks) // rounded
	}
	return done
}
