package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

var natsRuns = []fault{
	{name: "restart-nats", about: "all NATS servers are restarted with their disks", run: restartNATS},
	{name: "lose-disk", about: "all NATS servers come back without their disks: every viewer loads its plans", run: loseDisk},
	{name: "old-disk", about: "all NATS servers come back with a copy of their disks, made after a stop, that lacks events", run: oldDisk(false)},
	{name: "old-disk-running", about: "the same with a copy that was made while they ran", run: oldDisk(true), spoils: true},
}

func restartNATS(ctx context.Context, t *trial) error {
	return t.restartServers(ctx, allServers, func() error { return nil })
}

func loseDisk(ctx context.Context, t *trial) error {
	return t.losesRecords(ctx, allServers, func() error {
		for _, s := range t.cluster.servers {
			if err := os.RemoveAll(s.dir); err != nil {
				return err
			}
		}
		return nil
	})
}

// oldDisk brings the servers back with a copy of their disks, which lacks the events that were
// published since.
func oldDisk(running bool) func(context.Context, *trial) error {
	return func(ctx context.Context, t *trial) error {
		copies := filepath.Join(t.dir, "copies")
		save := func() error {
			t.phase("copy the disks")
			for _, s := range t.cluster.servers {
				if err := copyFolder(filepath.Join(copies, s.name), s.dir, running); err != nil {
					return err
				}
			}
			return nil
		}
		var err error
		if running {
			err = save()
		} else {
			err = t.restartServers(ctx, allServers, save)
		}
		if err != nil {
			return err
		}
		if err := t.await(ctx, "all nodes are ready", t.cluster.ready); err != nil {
			return err
		}
		if err := t.load.more(ctx); err != nil {
			return err
		}
		// One of the servers may never catch up after a copy that is not from a single moment.
		enough := allServers
		if running {
			enough = mostServers
		}
		return t.losesRecords(ctx, enough, func() error {
			for _, s := range t.cluster.servers {
				if err := os.RemoveAll(s.dir); err != nil {
					return err
				}
				if err := os.Rename(filepath.Join(copies, s.name), s.dir); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// losesRecords restarts the servers after a change of their disks by which acknowledged records are
// lost. Every viewer has to load its plans afterwards.
func (t *trial) losesRecords(ctx context.Context, enough int, change func() error) error {
	err := t.restartServers(ctx, enough, func() error {
		t.terms.Ended = t.node().last().Cluster.Epoch
		return change()
	})
	if err != nil {
		return err
	}
	return t.await(ctx, "all nodes have the same new epoch", func() bool {
		epoch := t.node().last().Cluster.Epoch
		for _, n := range t.cluster.list() {
			if n.last().Cluster.Epoch != epoch {
				return false
			}
		}
		return epoch != t.terms.Ended
	})
}

// How many servers must have the log after a restart.
const (
	mostServers = 2
	allServers  = 3
)

// restartServers stops all NATS servers, and starts them again after a call of between. It returns
// when enough of them have the log.
func (t *trial) restartServers(ctx context.Context, enough int, between func() error) error {
	t.phase("stop all NATS servers")
	if err := eachServer(t.cluster.servers, func(s *natsServer) error { s.process.stop(); return nil }); err != nil {
		return err
	}
	if err := between(); err != nil {
		return err
	}
	t.phase("start all NATS servers")
	started := time.Now()
	if err := eachServer(t.cluster.servers, func(s *natsServer) error { return s.start(ctx) }); err != nil {
		return err
	}
	return t.awaitLog(ctx, started, enough)
}

// awaitLog waits until NATS says, after a moment, that so many servers have the log.
func (t *trial) awaitLog(ctx context.Context, after time.Time, servers int) error {
	what := fmt.Sprintf("%d NATS servers have the log", servers)
	return t.awaitSetup(ctx, what, func(context.Context) bool { return t.cluster.storedSince(after, servers) })
}

// copyFolder copies a folder. If it is in use, files may change or vanish meanwhile, as in a backup
// of a running server.
func copyFolder(to, from string, inUse bool) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err == nil {
			err = copyEntry(to, from, path, d)
		}
		if inUse && os.IsNotExist(err) {
			return nil
		}
		return err
	})
}

func copyEntry(to, from, path string, d os.DirEntry) error {
	relative, err := filepath.Rel(from, path)
	if err != nil {
		return err
	}
	target := filepath.Join(to, relative)
	if d.IsDir() {
		return os.MkdirAll(target, 0o700)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(target, data, 0o600)
}
