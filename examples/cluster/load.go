package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
)

// The files of a run.
const (
	viewersFile    = "history.jsonl"
	publishersFile = "published.jsonl"
)

// load is what uses the cluster during a run: a publisher for each of some plans, and viewers of
// one of these plans each. All viewers are also in a quiet plan, which changes at the end only.
type load struct {
	trial      *trial
	balancer   *webServer
	busy       []string // plans
	quiet      string
	viewers    []*viewer
	publishers []*publisher
	quieter    *publisher // of the quiet plan

	viewing, publishing   sync.WaitGroup
	endViews, endPublish  context.CancelFunc
	life                  context.Context // of the viewers
	seen, published       *history.Writer
	seenFile, publishFile *os.File
}

// busyPlans is how many plans get changes all the time.
const busyPlans = 3

// startLoad starts viewers and publishers.
func startLoad(ctx context.Context, t *trial) (l *load, err error) {
	l = &load{trial: t, quiet: t.prefix + "quiet"}
	if l.seenFile, err = os.Create(filepath.Join(t.dir, viewersFile)); err != nil {
		return nil, err
	}
	if l.publishFile, err = os.Create(filepath.Join(t.dir, publishersFile)); err != nil {
		l.seenFile.Close()
		return nil, err
	}
	l.seen, l.published = history.NewWriter(l.seenFile), history.NewWriter(l.publishFile)
	if l.balancer, err = serve("127.0.0.1:0", t.cluster.balancer, t.cluster.log); err != nil {
		return nil, errors.Join(err, l.seenFile.Close(), l.publishFile.Close())
	}
	t.terms.Quiet = append(t.terms.Quiet, l.quiet)
	l.life, l.endViews = context.WithCancel(context.WithoutCancel(ctx))
	publish, end := context.WithCancel(context.WithoutCancel(ctx))
	l.endPublish = end
	for i := range busyPlans {
		l.busy = append(l.busy, fmt.Sprintf("%splan-%d", t.prefix, i+1))
		l.publishers = append(l.publishers, newPublisher(t.cluster, l.busy[i], t.options.rate, l.published))
	}
	l.quieter = newPublisher(t.cluster, l.quiet, 1, l.published)
	for _, n := range t.cluster.list() {
		for i := range t.options.viewers {
			l.view(fmt.Sprintf("%s-%d", n.name, i+1), l.balancer.url, n.name, l.busy[i%len(l.busy)], l.quiet)
		}
	}
	for _, p := range l.publishers {
		l.publishing.Go(func() { p.run(publish) })
	}
	return l, nil
}

// view starts a viewer of some plans, by way of the balancer or, if base is the URL of a node,
// directly.
func (l *load) view(name, base, node string, plans ...string) *viewer {
	name = l.trial.prefix + name
	v := newViewer(viewerOptions{
		name: name, user: checkerPrefix + "-" + name, base: base, node: node, plans: plans,
		history: l.seen, log: l.trial.cluster.log,
	})
	l.viewers = append(l.viewers, v)
	l.viewing.Go(func() { v.run(l.life) })
	return v
}

// direct starts a viewer that is connected to a node without the balancer.
func (l *load) direct(n *instance, plans ...string) *viewer {
	return l.view(fmt.Sprintf("direct-%d", len(l.viewers)), n.base().String(), n.name, plans...)
}

// present returns the viewers that should follow.
func (l *load) present() (list []*viewer) {
	for _, v := range l.viewers {
		if !slices.Contains(l.trial.terms.Gone, v.name) {
			list = append(list, v)
		}
	}
	return list
}

// follow reports whether all viewers are connected and receive events.
func (l *load) follow() bool {
	for _, v := range l.present() {
		if !v.isLive() {
			return false
		}
		for plan, f := range v.follows {
			if plan != l.quiet && f.checker.Counts().Delivered < 10 {
				return false
			}
		}
	}
	return l.sameLists()
}

// connected reports whether all viewers that should be are connected.
func (l *load) connected() bool {
	return !slices.ContainsFunc(l.present(), func(v *viewer) bool { return !v.isLive() })
}

// elsewhere reports whether the balancer has connected all viewers to other nodes than one. A viewer
// that has not noticed yet that its node is down is live, but not connected to any.
func (l *load) elsewhere(node string) bool {
	clients := l.trial.cluster.balancer.clients()
	return !slices.ContainsFunc(l.present(), func(v *viewer) bool {
		at := clients[v.name]
		return at == "" || at == node || !v.isLive()
	})
}

// more waits until each publisher has published more.
func (l *load) more(ctx context.Context) error {
	before := make(map[*publisher]uint64)
	for _, p := range l.publishers {
		before[p] = p.now().Changes
	}
	return l.trial.await(ctx, "more changes", func() bool {
		for _, p := range l.publishers {
			if p.now().Changes < before[p]+10 {
				return false
			}
		}
		return true
	})
}

// finish ends publishing, with one more change of each plan. A change that is being published is
// acknowledged before: without its repetition, it could be in the database and not be broadcast.
// If the nodes acknowledge nothing for too long, finish returns a promiseError.
func (l *load) finish(ctx context.Context) error {
	for _, p := range l.publishers {
		p.end()
	}
	within, cancel := context.WithTimeout(ctx, l.trial.patience)
	defer cancel()
	defer context.AfterFunc(within, l.endPublish)()
	l.publishing.Wait() // endPublish ends it, too
	for _, p := range append(l.publishers, l.quieter) {
		p.publish(within, p.database.next(p.plan))
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case within.Err() != nil:
		return &promiseError{fmt.Errorf("no node has acknowledged the last changes within %v: %s", l.trial.patience, l.publishProblem())}
	}
	return nil
}

// publishProblem returns why the last attempts to publish have failed.
func (l *load) publishProblem() string {
	var list []string
	for _, p := range append(l.publishers, l.quieter) {
		if problem := p.now().Problem; problem != "" {
			list = append(list, p.plan+": "+problem)
		}
	}
	return strings.Join(list, "; ")
}

// whole reports whether all viewers have the last change of each plan.
func (l *load) whole() bool { return l.behind() == "" }

// behind says what the viewers lack.
func (l *load) behind() string {
	var list []string
	for _, v := range l.present() {
		for plan, f := range v.follows {
			want := l.trial.cluster.database.current(plan).Change
			if got := f.checker.Counts(); got.Last < want || got.Lost > 0 || !v.isLive() || !f.settled() {
				list = append(list, fmt.Sprintf("%s has change %d of %d of %s, without %d, connected %t, settled %t",
					v.name, got.Last, want, plan, got.Lost, v.isLive(), f.settled()))
			}
		}
	}
	return strings.Join(list, "; ")
}

// people returns the users who are in the quiet plan.
func (l *load) people() (users []string) {
	for _, v := range l.present() {
		if v.follows[l.quiet] != nil {
			users = append(users, v.user)
		}
	}
	slices.Sort(users)
	return users
}

// sameLists reports whether all viewers of the quiet plan list exactly its users.
func (l *load) sameLists() bool { return l.otherList() == "" }

// otherList describes a list that differs.
func (l *load) otherList() string {
	want := l.people()
	for _, v := range l.present() {
		f := v.follows[l.quiet]
		if f == nil {
			continue
		}
		got := f.participants()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Sprintf("%s lists %v instead of %v", v.name, got, want)
		}
	}
	return ""
}

// end ends publishers and viewers, and closes the histories.
func (l *load) end() error {
	l.endPublish()
	l.publishing.Wait()
	l.endViews()
	l.viewing.Wait()
	l.balancer.close()
	return errors.Join(l.seen.Flush(), l.published.Flush(), l.seenFile.Close(), l.publishFile.Close())
}
