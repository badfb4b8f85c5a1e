package natsengine_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// openError returns the error of Open.
func openError(t *testing.T, ctx context.Context, o natsengine.Options, cluster string) error {
	t.Helper()
	e := natsengine.New(o)
	defer e.Close()
	_, err := e.Open(ctx, room.OpenOptions{Cluster: cluster, Node: "x"}, func(string, []byte) {})
	return err
}

// wantText fails the test unless err has all the texts.
func wantText(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want one with %q", err, text)
		}
	}
}

// Open names the settings of a stream that do not fit, and changes them only if Update allows it.
func TestSettings(t *testing.T) {
	m := one(t, nil)
	o := natsengine.Options{Servers: []string{m.url()}}
	open(t, o, "first")
	admin := newAdmin(t, m)

	different := o
	different.MaxAge, different.MaxBytes = 30*time.Minute, 16<<20
	wantText(t, openError(t, t.Context(), different, "test"), "planrooms_log", "max_age is 1h0m0s, not 30m0s", "max_bytes is 268435456, not 16777216", "Options.Update")
	if c := admin.info("planrooms_log").Config; c.MaxAge != time.Hour {
		t.Errorf("Open has changed max_age to %v", c.MaxAge)
	}
	different.Update = true
	open(t, different, "second")
	if c := admin.info("planrooms_log").Config; c.MaxAge != 30*time.Minute || c.MaxBytes != 16<<20 {
		t.Errorf("Update has left max_age %v and max_bytes %d", c.MaxAge, c.MaxBytes)
	}
	open(t, different, "third")

	// An operator may set what the engine does not depend on, but not what breaks its promises.
	existing := natsengine.Options{Servers: o.Servers, Existing: true}
	admin.change("planrooms_log", func(c *jetstream.StreamConfig) { c.MaxMsgs, c.Description = 1000, "of the operator" })
	open(t, existing, "fourth")
	admin.change("planrooms_log", func(c *jetstream.StreamConfig) { c.AllowDirect, c.Duplicates, c.RePublish = false, time.Minute, nil })
	wantText(t, openError(t, t.Context(), existing, "test"), "allow_direct is false, not true", "duplicate_window is 1m0s, not at least 2m0s", "republish is none, not planrooms.test.log to planrooms.test.bell, headers only true")
	different.Update = true
	open(t, different, "fifth")
	admin.change("planrooms_notes", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 })
	wantText(t, openError(t, t.Context(), existing, "test"), "planrooms_notes", "max_msgs_per_subject is 5, not 1")
}

// Update fails if settings stay that it does not change.
func TestUpdateDoesNotFit(t *testing.T) {
	m := one(t, nil)
	o := natsengine.Options{Servers: []string{m.url()}}
	open(t, o, "first")
	newAdmin(t, m).change("planrooms_log", func(c *jetstream.StreamConfig) {
		c.Sources = []*jetstream.StreamSource{{Name: "planrooms_notes"}}
	})
	o.Update = true
	wantText(t, openError(t, within(t), o, "test"), "Options.Update does not change", "planrooms_log", "a mirror, sources or a subject transform is true, not false")
}

// A stream that acknowledges records before it writes them is refused.
func TestPersistMode(t *testing.T) {
	m := one(t, nil)
	o := natsengine.Options{Servers: []string{m.url()}}
	open(t, o, "first")
	admin := newAdmin(t, m)
	config := admin.info("planrooms_log").Config
	admin.retry(func(ctx context.Context) error { return admin.js.DeleteStream(ctx, "planrooms_log") })
	config.PersistMode = jetstream.AsyncPersistMode
	admin.retry(func(ctx context.Context) error {
		_, err := admin.js.CreateStream(ctx, config)
		return err
	})
	o.Existing = true
	wantText(t, openError(t, within(t), o, "test"), "persist_mode is Async, not Default")
}

func TestExistingIsMissing(t *testing.T) {
	m := one(t, nil)
	err := openError(t, t.Context(), natsengine.Options{Servers: []string{m.url()}, Existing: true}, "test")
	wantText(t, err, "no stream planrooms_log", "Options.Existing")
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("the error %v is not jetstream.ErrStreamNotFound", err)
	}
}

// A second cluster with the same prefix is refused, also with Update.
func TestAnotherCluster(t *testing.T) {
	m := one(t, nil)
	o := natsengine.Options{Servers: []string{m.url()}}
	open(t, o, "a")
	wantText(t, openError(t, t.Context(), o, "other"), `cluster "test"`, `"other"`, "Options.Prefix")
	o.Update = true
	wantText(t, openError(t, t.Context(), o, "other"), `cluster "test"`)
	o.Prefix = "other"
	if err := openError(t, t.Context(), o, "a name with spaces. And dots, ünd more"); err != nil {
		t.Error(err)
	}
}

func TestInvalidOptions(t *testing.T) {
	for text, o := range map[string]natsengine.Options{
		"number 2 of Options.Servers":             {Servers: []string{"nats://a", "nats://user:hidden@b:no-port"}},
		"more than one":                           {User: "user", Token: "abcdef"},
		"Options.Prefix":                          {Prefix: "a..b"},
		"Options.MaxAge must be at least 2m0s":    {MaxAge: time.Minute},
		"Options.MaxBytes must be at least 1 MiB": {MaxBytes: 1000},
		"both Existing and Update":                {Existing: true, Update: true},
		"Options.Replicas must be 1, 3 or 5":      {Replicas: 2},
	} {
		err := openError(t, t.Context(), o, "test")
		wantText(t, err, text)
		if err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("the error has a password: %v", err)
		}
	}
	wantText(t, openError(t, t.Context(), natsengine.Options{}, ""), "OpenOptions.Cluster")
}

// A server without JetStream, and one whose account may not use it.
func TestNoJetStream(t *testing.T) {
	m := one(t, func(o *server.Options) { o.JetStream = false })
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := openError(t, ctx, natsengine.Options{Servers: []string{m.url()}}, "test")
	wantText(t, err, "look at the stream planrooms_log: JetStream does not answer: it is not enabled, or its servers have no leader")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the error %v is not that of the context", err)
	}

	account := server.NewAccount("without")
	m = one(t, func(o *server.Options) {
		o.Accounts = []*server.Account{account, server.NewAccount("SYS")}
		o.SystemAccount = "SYS"
		o.Users = []*server.User{{Username: "u", Password: "p", Account: account}}
	})
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, User: "u", Password: "p"}, "test"), "JetStream is not enabled")
}

// The limits of an account, and a server that allows messages that are too small.
func TestServerLimits(t *testing.T) {
	m := one(t, func(o *server.Options) { o.JetStreamMaxStore, o.JetStreamMaxMemory = 16<<20, 16<<20 })
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}}, "test"), "create the stream planrooms_log", "insufficient storage resources")
	m = one(t, func(o *server.Options) { o.MaxPayload = 32 << 10 })
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}}, "test"), "max_payload of the server is 32768 bytes; it must be at least 66560")
	m = one(t, nil)
	wantText(t, openError(t, within(t), natsengine.Options{Servers: []string{m.url()}, Replicas: 3}, "test"), "replicas")
}

// lines collects what a logger writes.
type lines struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Neither errors nor the log have the password or token, whatever way it was given.
func TestSecrets(t *testing.T) {
	password := one(t, func(o *server.Options) { o.Username, o.Password = "user", "s3cret/ word" })
	token := one(t, func(o *server.Options) { o.Authorization = "s3cret/ word" })
	var log lines
	for name, o := range map[string]natsengine.Options{
		"password":         {Servers: []string{password.url()}, User: "user", Password: "s3cret/ word"},
		"token":            {Servers: []string{token.url()}, Token: "s3cret/ word"},
		"URL":              {Servers: []string{strings.Replace(password.url(), "//", "//user:s3cret%2F%20word@", 1)}},
		"token in the URL": {Servers: []string{strings.Replace(token.url(), "//", "//s3cret%2F%20word@", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			e, _ := open(t, o, "a")
			if _, err := e.Append(within(t), "id", nil); err != nil {
				t.Error(err)
			}
			server := password
			if strings.HasPrefix(name, "token") {
				server = token
			}
			if err := server.stop(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			_, err := e.Append(ctx, "id2", nil)
			refused := openError(t, ctx, o, "test")
			again := strings.Count(log.String(), "connected again")
			server.start()
			for ctx := within(t); strings.Count(log.String(), "connected again") == again; time.Sleep(time.Millisecond) {
				if ctx.Err() != nil {
					t.Fatalf("not connected again; the log is:\n%s", log.String())
				}
			}
			for _, err := range []error{err, refused, openError(t, within(t), natsengine.Options{Servers: o.Servers, User: "user", Password: "wr0ng"}, "test")} {
				if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "wr0ng") {
					if err != nil || !strings.Contains(name, "URL") {
						t.Errorf("the error is %v", err)
					}
				}
			}
		})
	}
	if strings.Contains(log.String(), "s3cret") || !strings.Contains(log.String(), "the connection to NATS is lost") {
		t.Errorf("the log is:\n%s", log.String())
	}
}
