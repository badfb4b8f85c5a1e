package main

import (
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

// observerName is the name of the node that the command nodes adds to the cluster while it looks.
const observerName = "nodes-command"

// nodesCommand lists the nodes of a cluster. It joins the cluster for a few seconds, as a node
// without clients, and creates nothing: the streams must be there.
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
	f.Var(&servers, "nats", "`URLs` of the cluster's NATS servers, separated by commas. Default: nats://127.0.0.1:4222")
	f.StringVar(&cluster, "cluster", "demo", "`name` of the cluster in NATS")
	f.DurationVar(&wait, "wait", 15*time.Second, "how long to wait until NATS answers and the log is read")
	f.BoolVar(&verbose, "v", false, "show the warnings of the engine")
	if err := parse(f, args); err != nil {
		return err
	}
	log := slog.New(slog.DiscardHandler)
	if verbose {
		log = slog.New(slog.NewTextHandler(stderr, nil))
	}
	hub := room.NewHub(&room.Options{
		Authorize: func(context.Context, auth.Identity, string) error { return room.ErrForbidden }, // it has no clients
		Engine:    natsengine.New(natsengine.Options{Servers: servers.texts(), Existing: true, Logger: log}),
		Cluster:   cluster,
		Node:      observerName,
		Logger:    log,
	})
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = hub.Shutdown(ctx) // the list is complete
	}()
	info, err := observe(ctx, hub, wait)
	if err != nil {
		return err
	}
	return printNodes(stdout, info)
}

// observe returns what the hub knows of the cluster once it has read the log and seen the notes of
// the nodes twice, so that it knows who is silent.
func observe(ctx context.Context, hub *room.Hub, wait time.Duration) (observed, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var ready time.Time
	for {
		err := hub.Ready()
		if err == nil && ready.IsZero() {
			ready = time.Now()
		}
		// A node stores a note each second.
		if err == nil && time.Since(ready) > 3*time.Second {
			info, _ := hub.Cluster()
			return observed{info, ready}, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if err == nil {
				err = ctx.Err()
			}
			return observed{}, fmt.Errorf("the cluster could not be read: %w", err)
		}
	}
}

// observed is what a hub knows that was ready at some time.
type observed struct {
	room.ClusterInfo
	ready time.Time
}

// status describes a node in a few words.
func (o *observed) status(n room.NodeInfo) string {
	switch {
	case n.Ended:
		return "ended"
	case n.Seen.Before(o.ready):
		return "silent"
	case n.Open:
		return "open"
	}
	return "shut"
}

func printNodes(w io.Writer, o observed) error {
	fmt.Fprintf(w, "epoch %s, records %d to %d\n\n", o.Epoch, o.First, o.Last)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NODE\tGATE\tAPPLIED\tTENURE\tEPOCH\tINCARNATION")
	listed := 0
	for _, n := range o.Nodes {
		if n.Name == o.Node || n.Host == observerName {
			continue // this command, and earlier calls of it
		}
		listed++
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%s\t%s\n", n.Host, o.status(n), n.Applied, n.Tenure, n.Epoch, n.Name)
	}
	if listed == 0 {
		fmt.Fprintln(t, "none")
	}
	return t.Flush()
}
