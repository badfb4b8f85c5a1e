package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// silentInstance is a ready node at which requests get no answer.
func silentInstance(t *testing.T) *instance {
	t.Helper()
	end := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-end }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(end) })
	n := newInstance("n1", "", nil, nil)
	var err error
	if n.url, err = url.Parse(s.URL); err != nil {
		t.Fatal(err)
	}
	n.proxy = &httputil.ReverseProxy{}
	n.serving, n.withdraw = context.WithCancel(t.Context())
	return n
}

// A wait of a run ends, with its requests: after trial.patience with a broken promise, and with ctx
// without one.
func TestWaitsEnd(t *testing.T) {
	n := silentInstance(t)
	waits := map[string]func(ctx context.Context, r *trial) error{
		"request": func(ctx context.Context, r *trial) error {
			_, err := r.nextTenure(ctx, n, 1)
			return err
		},
		"condition": func(ctx context.Context, r *trial) error {
			return r.await(ctx, "it never holds", func() bool { return false })
		},
		"publishing": func(ctx context.Context, r *trial) error {
			r.cluster = &cluster{nodes: []*instance{n}, database: newDatabase("r")}
			publish, end := context.WithCancel(context.WithoutCancel(ctx))
			l := &load{trial: r, quieter: newPublisher(r.cluster, "quiet", 1, nil), endPublish: end}
			busy := newPublisher(r.cluster, "busy", 20, nil)
			l.publishers = append(l.publishers, busy)
			l.publishing.Go(func() { busy.publish(publish, busy.database.next(busy.plan)) })
			return l.finish(ctx)
		},
	}
	for name, wait := range waits {
		t.Run(name, func(t *testing.T) {
			r := &trial{stderr: io.Discard, patience: 50 * time.Millisecond}
			err := wait(t.Context(), r)
			if r.ends(t.Context(), err); len(r.broken) != 1 || r.failed != "" {
				t.Errorf("without an answer: %v, broken %q, failed %q", err, r.broken, r.failed)
			}

			r = &trial{stderr: io.Discard, patience: time.Hour}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			err = wait(ctx, r)
			if r.ends(ctx, err); err == nil || len(r.broken) > 0 || r.failed != "" {
				t.Errorf("interrupted: %v, broken %q, failed %q", err, r.broken, r.failed)
			}
		})
	}
}

// Only what the cluster has promised can be broken.
func TestVerdicts(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "disk", Err: errors.New("no space left on device")}
	for _, test := range []struct {
		err  error
		want string
	}{
		{nil, verdictKept},
		{full, verdictFailed},
		{&promiseError{full}, verdictBroken},
		{errors.Join(full, &promiseError{full}), verdictBroken},
	} {
		r := &trial{stderr: io.Discard}
		r.ends(t.Context(), test.err)
		out := r.outcome()
		if got := out.verdict(); got != test.want {
			t.Errorf("%v: verdict %s, want %s", test.err, got, test.want)
		}
		out = sum([]outcome{{Times: 1}, out})
		var table strings.Builder
		if err := printOutcomes(&table, []outcome{out}); err != nil {
			t.Fatal(err)
		}
		line := strings.Split(table.String(), "\n")[1]
		if !strings.HasSuffix(line, " "+test.want) || test.err != nil && !strings.Contains(table.String(), ": "+test.want+": run 2: ") {
			t.Errorf("%v: want %s in the table\n%s", test.err, test.want, &table)
		}
	}
}

// A run that was interrupted is not judged, and further ones are not made. The table has those before
// it, and the temporary folder is removed.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sound := func(context.Context, *trial) error { return nil }
	interrupted := func(ctx context.Context, r *trial) error {
		cancel()
		return r.await(ctx, "it never holds", func() bool { return false })
	}
	runs := []fault{{name: "sound", run: sound, alone: true}, {name: "interrupted", run: interrupted, alone: true}, {name: "never", run: sound, alone: true}}
	parent := t.TempDir()
	t.Setenv("TMPDIR", parent)
	t.Setenv("TMP", parent)
	var stdout strings.Builder
	err := runFaults(ctx, faultOptions{times: 1}, runs, &stdout, io.Discard)
	if !errors.Is(err, errInterrupted) || strings.Contains(err.Error(), "broken") {
		t.Errorf("error %v, want %v", err, errInterrupted)
	}
	if got := stdout.String(); !strings.Contains(got, "\nsound ") || strings.Contains(got, "interrupted") || strings.Contains(got, "never") {
		t.Errorf("want a table of the first run\n%s", got)
	}
	if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v %v", left, err)
	}
}
