package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
	"github.com/planrooms/planrooms/transport"
)

// config holds the flags of the command line.
type config struct {
	addr     string
	db       string
	origin   string // the public origin behind a proxy that ends TLS, or ""
	tokenTTL time.Duration
	demo     bool
	debug    bool
	metrics  string // the address of /metrics, or ""
	addUser  string
	backup   string

	operators []string // e-mail addresses, as the store has them

	passwordCost int // of bcrypt; tests use a low one
}

// sessionTTL is how long a login lasts.
const sessionTTL = 30 * 24 * time.Hour

// parseFlags parses args. It prints an error before it returns it.
func parseFlags(args []string, stderr io.Writer) (config, error) {
	c := config{passwordCost: 12} // about a quarter of a second
	var noDemo bool
	flags := flag.NewFlagSet("taskboard", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	flags.StringVar(&c.db, "db", "taskboard.db", "database `file`, created if it does not exist; \":memory:\" for one that ends with the process")
	flags.StringVar(&c.origin, "origin", "", "public `origin` behind a proxy that ends TLS, such as https://board.example.com")
	flags.DurationVar(&c.tokenTTL, "token-ttl", 15*time.Minute, "lifetime of an access token")
	flags.BoolVar(&noDemo, "no-demo", false, "create no demo accounts, and disable those of the database; implied by a public -origin")
	flags.BoolVar(&c.debug, "debug", false, "log more")
	flags.Func("operator", "e-mail `address` of a user who may see at /api/rooms who looks at which plan; may be repeated", func(email string) error {
		c.operators = append(c.operators, store.NormalEmail(email))
		return nil
	})
	flags.StringVar(&c.metrics, "metrics", "", "serve /metrics for Prometheus, without login, at this `host:port` of its own, such as 127.0.0.1:9100")
	flags.StringVar(&c.addUser, "add-user", "", "add the user `\"Name <address>\"`, whose password is the first line of stdin, and exit")
	flags.StringVar(&c.backup, "backup", "", "copy the database to this new `file`, readable by its owner only, and exit")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.demo = !noDemo && (c.origin == "" || isLoopback(c.origin))
	err := c.check()
	if flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(stderr, "taskboard: %v\n", err)
	}
	return c, err
}

func (c config) check() error {
	if c.tokenTTL < time.Second {
		return errors.New("-token-ttl must be a second or more")
	}
	if err := (&transport.Options{PublicOrigin: c.origin}).Validate(); err != nil {
		return fmt.Errorf("-origin: %w", err)
	}
	return nil
}

// isLoopback reports whether only this machine reaches the origin.
func isLoopback(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

// tls reports whether browsers use https. This process serves plain HTTP behind a proxy.
func (c config) tls() bool { return strings.HasPrefix(c.origin, "https:") }

func (c config) logLevel() slog.Level {
	if c.debug {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
