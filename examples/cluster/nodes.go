package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/planrooms/planrooms/auth"
	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// nodesCommand lists the nodes of a cluster. It reads log and notes for a few seconds, with a hub
// that stores nothing.
func nodesCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	servers := natsURLs{}
	var cluster string
	var wait time.Duration
	var verbose bool
	f := newFlags("cluster nodes", stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, "Lists the nodes of a cluster: epoch, applied seq, tenure and gate.\n\nUsage:\n\n  cluster nodes [flags]\n\nFlags:\n\n")
		f.PrintDefaults()
	}
	flagURLs(f, &servers, "nats", "`URLs` of the cluster's NATS servers, separated by commas. Default: nats://127.0.0.1:4222")
	f.StringVar(&cluster, "cluster", "demo", "`name` of the cluster in NATS")
	f.DurationVar(&wait, "wait", 15*time.Second, "how long to wait until NATS answers and the log is read")
	f.BoolVar(&verbose, "v", false, "show the warnings of the hub and of its engine")
	if err := parse(f, args); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	var level slog.LevelVar
	if verbose {
		log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: &level}))
	}
	engine, end, err := newReadOnlyEngine(natsengine.Options{Servers: servers.texts(), Logger: log})
	if err != nil {
		return err
	}
	defer end()
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return room.ErrForbidden }, // it has no clients
		Engine:    engine,
		Cluster:   cluster,
		Logger:    log,
	})
	defer func() {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		level.Set(slog.LevelError + 1) // the hub would warn that other nodes wait for it, which they do not
		_ = hub.Shutdown(ctx)          // it has no clients, and stores no goodbye for other nodes
	}()
	info, err := observe(ctx, hub, engine, wait)
	if err != nil {
		return err
	}
	return printNodes(stdout, info)
}

// observe returns what the hub knows of the cluster once it has read the log, and the notes for 3 s,
// so that it knows which nodes are silent: each node stores a note every second.
func observe(ctx context.Context, hub *room.Hub, engine *readOnlyEngine, wait time.Duration) (observed, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var began time.Time // since when the notes are read
	for {
		info, _ := hub.Cluster()
		beats, failed := engine.read()
		if beats > 0 && began.IsZero() {
			began = time.Now()
		}
		if !began.IsZero() && time.Since(began) > 3*time.Second && info.Applied >= info.Last {
			return observed{info, began}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return observed{}, fmt.Errorf("the cluster could not be read: %w", cmp.Or(failed, hub.Ready(), ctx.Err()))
		}
	}
}

// observed is what a hub has read since a time.
type observed struct {
	room.ClusterInfo
	began time.Time
}

// status describes a node in a few words.
func (o *observed) status(n room.NodeInfo) string {
	switch {
	case n.Ended:
		return "ended"
	case !n.Seen.After(o.began):
		return "silent"
	case n.Open:
		return "open"
	}
	return "shut"
}

func printNodes(w io.Writer, o observed) error {
	fmt.Fprintf(w, "epoch %s, records %d to %d\n\n", cmp.Or(o.Epoch, "unknown"), o.First, o.Last)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tGATE\tAPPLIED\tTENURE\tEPOCH\tINCARNATION")
	alive := false
	for _, n := range o.Nodes {
		if n.Name == o.Node {
			continue // this command
		}
		status := o.status(n)
		alive = alive || status == "open" || status == "shut"
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\n", n.Host, status, n.Applied, n.Tenure, n.Epoch, n.Name)
	}
	if err := t.Flush(); err != nil || alive {
		return err
	}
	_, err := fmt.Fprintln(w, "\nno node is alive")
	return err
}
