package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/planrooms/planrooms/transport"
)

// config is what the command line says.
type config struct {
	addr     string
	db       string
	origin   string // the public origin behind a proxy that ends TLS, or ""
	tokenTTL time.Duration
	demo     bool
	debug    bool
	addUser  string

	passwordCost int // of bcrypt; tests take a cheap one
}

// sessionTTL is how long a login lasts.
const sessionTTL = 30 * 24 * time.Hour

// parseFlags prints what is wrong with args before it returns an error.
func parseFlags(args []string, stderr io.Writer) (config, error) {
	c := config{passwordCost: 12} // about a quarter of a second
	var noDemo bool
	flags := flag.NewFlagSet("taskboard", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:8080", "`host:port` to listen on; port 0 picks a free one")
	flags.StringVar(&c.db, "db", "taskboard.db", "database `file`, made if there is none; \":memory:\" for one that ends with the process")
	flags.StringVar(&c.origin, "origin", "", "public `origin` behind a proxy that ends TLS, such as https://board.example.com")
	flags.DurationVar(&c.tokenTTL, "token-ttl", 15*time.Minute, "how long an access token is good")
	flags.BoolVar(&noDemo, "no-demo", false, "leave a fresh database empty")
	flags.BoolVar(&c.debug, "debug", false, "log more, and show at /api/rooms, to everybody, who looks at what")
	flags.StringVar(&c.addUser, "add-user", "", "add the user `\"Name <address>\"`, whose password is the first line of stdin, and exit")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.demo = !noDemo
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

// tls reports whether browsers come by https though this process does not see it.
func (c config) tls() bool { return strings.HasPrefix(c.origin, "https:") }

func (c config) logLevel() slog.Level {
	if c.debug {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
