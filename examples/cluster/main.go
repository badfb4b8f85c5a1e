// Cluster is a plan service with three nodes that can be broken while it runs:
//
//	go run .
//
// It starts three nodes, three NATS servers and a balancer, and serves a page with a viewer on each
// node. Switches of the page kill, restart and pause nodes, kill servers, and cut nodes from NATS.
// Meanwhile a publisher changes the plan, and each viewer checks that it misses nothing and sees
// nothing twice. The nodes and servers are processes of this program.
//
//	go run . -nats nats://127.0.0.1:4222        the nodes use NATS servers that run elsewhere
//	go run . nodes -nats nats://127.0.0.1:4222  lists the nodes of a cluster
//	go run . faults                             breaks a cluster, and checks what its clients saw
//
// It is a demonstration: the page has no login, so by default it listens on this machine only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

const usage = `Usage:

  cluster [flags]         starts three nodes, three NATS servers and a page with switches
  cluster nodes [flags]   lists the nodes of a running cluster
  cluster faults [flags]  breaks a cluster under load, and checks what its clients saw

"cluster nodes -h" and "cluster faults -h" describe the flags of these commands. Flags of the first one:

`

// errUsage means that the reason was printed already.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	default:
		fmt.Fprintf(os.Stderr, "cluster: %v\n", err)
		os.Exit(1)
	}
}

// command runs what the arguments ask for until it is done or ctx ends.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	switch name {
	case "":
		return demoCommand(ctx, args, stdout, stderr)
	case "nodes":
		return nodesCommand(ctx, args, stdout, stderr)
	case "faults":
		return faultsCommand(ctx, args, stdout, stderr)
	case nodeCommandName: // of a child process
		return nodeCommand(ctx, args, stdout, stderr)
	case peopleCommandName:
		return peopleCommand(ctx, args, stdout, stderr)
	case serverCommandName:
		return serverCommand(ctx, args, stdout, stderr)
	}
	fmt.Fprintf(stderr, "cluster: unknown command %q\n\n%s", withoutPassword(name), usage)
	return errUsage
}

func demoCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o demoOptions
	f := newFlags("cluster", stderr)
	f.Usage = func() { fmt.Fprint(stderr, usage); f.PrintDefaults() }
	f.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`host:port` of the page; port 0 picks a free one. Whoever reaches it can use the switches")
	flagURLs(f, &o.nats, "nats", "`URLs` of NATS servers with JetStream that run already, separated by commas. Default: start three servers")
	f.IntVar(&o.replicas, "replicas", 0, "`number` of NATS servers that store the log: 1, 3 or 5. Default: 3, or 1 with -nats")
	f.StringVar(&o.cluster, "cluster", "demo", "`name` of the cluster in NATS")
	f.StringVar(&o.dir, "dir", "", "`folder` for data and logs. Default: a temporary one, which is removed at the end")
	f.IntVar(&o.rate, "rate", 20, "`changes` of the plan per second, 1 to 200")
	if err := parse(f, args); err != nil {
		return err
	}
	switch {
	case o.rate < 1 || o.rate > 200:
		return reject(f, "-rate is %d; it must be 1 to 200", o.rate)
	case o.replicas != 0 && o.replicas != 1 && o.replicas != 3 && o.replicas != 5:
		return reject(f, "-replicas is %d; it must be 1, 3 or 5", o.replicas)
	case o.replicas == 5 && len(o.nats) == 0:
		return reject(f, "-replicas is 5, but only three servers are started")
	case o.cluster == "":
		return reject(f, "-cluster is empty")
	}
	if o.replicas == 0 {
		o.replicas = 3
		if len(o.nats) > 0 {
			o.replicas = 1
		}
	}
	return demo(ctx, o, stdout, slog.New(slog.NewTextHandler(stderr, nil)))
}

// newFlags returns an empty set of flags whose errors are returned.
func newFlags(name string, stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	return f
}

// parse reads the flags, and accepts no other arguments.
func parse(f *flag.FlagSet, args []string) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if f.NArg() > 0 {
		return reject(f, "unexpected argument %q", withoutPassword(f.Arg(0)))
	}
	var wrong error
	f.VisitAll(func(one *flag.Flag) {
		if u, ok := one.Value.(*urlsFlag); ok && u.err != nil && wrong == nil {
			wrong = reject(f, "-%s: %v", one.Name, u.err)
		}
	})
	return wrong
}

// withoutPassword returns an argument, or what it is if it may have a password.
func withoutPassword(arg string) string {
	if strings.Contains(arg, "@") {
		return "a URL"
	}
	return arg
}

// reject prints what is wrong with the arguments.
func reject(f *flag.FlagSet, format string, args ...any) error {
	fmt.Fprintf(f.Output(), "%s: %s\n", f.Name(), fmt.Sprintf(format, args...))
	return errUsage
}

// urlsFlag is a flag with the URLs of NATS servers. Set keeps its error for parse: package flag
// prints the value with an error, and the value may have a password.
type urlsFlag struct {
	urls *natsURLs
	err  error
}

func flagURLs(f *flag.FlagSet, urls *natsURLs, name, usage string) {
	f.Var(&urlsFlag{urls: urls}, name, usage)
}

// String implements [flag.Value].
func (u *urlsFlag) String() string {
	if u.urls == nil {
		return ""
	}
	return u.urls.String()
}

// Set implements [flag.Value].
func (u *urlsFlag) Set(text string) error {
	*u.urls, u.err = readURLs(text)
	return nil
}

// natsURLs are the URLs of NATS servers.
type natsURLs []*url.URL

// readURLs reads URLs that are separated by commas. Its error does not have the text.
func readURLs(text string) (list natsURLs, err error) {
	for one := range strings.SplitSeq(text, ",") {
		parsed, err := url.Parse(strings.TrimSpace(one))
		if err != nil || parsed.Scheme != "nats" && parsed.Scheme != "tls" || parsed.Hostname() == "" {
			return nil, errors.New("want nats://HOST:PORT or tls://HOST:PORT, more of them after commas")
		}
		if parsed.Port() == "" {
			parsed.Host += ":4222"
		}
		list = append(list, parsed)
	}
	return list, nil
}

// String returns the URLs without passwords and tokens.
func (u natsURLs) String() string {
	var list []string
	for _, one := range u {
		shown := *one
		if _, ok := one.User.Password(); one.User != nil && !ok {
			shown.User = url.User("xxxxx") // a token stands for the user
		}
		list = append(list, shown.Redacted())
	}
	return strings.Join(list, ",")
}

// joined returns the URLs as readURLs reads them, with passwords and tokens.
func (u natsURLs) joined() string { return strings.Join(u.texts(), ",") }

// texts returns the URLs for a NATS client.
func (u natsURLs) texts() (list []string) {
	for _, one := range u {
		list = append(list, one.String())
	}
	return list
}
