package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
)

// childEnv makes the test binary run the program instead of the tests.
const childEnv = "CLUSTER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestArguments(t *testing.T) {
	for _, test := range []struct {
		args string
		want string // in the text
		err  error
	}{
		{"-h", "port 0 picks a free one", flag.ErrHelp},
		{"nodes -h", "Lists the nodes of a cluster", flag.ErrHelp},
		{"list", `unknown command "list"`, errUsage},
		{"nodes x", `cluster nodes: unexpected argument "x"`, errUsage},
		{"faults -h", "Breaks a cluster under load", flag.ErrHelp},
		{"faults -run kill", `there is no run "kill"; -list has their names`, errUsage},
		{"faults -times 0", "-times is 0; it must be at least 1", errUsage},
		{"faults -rate 201", "-rate is 201; it must be 1 to 200", errUsage},
		{"faults -viewers 0", "-viewers is 0; it must be at least 1", errUsage},
		{"faults -moves 0", "-moves is 0; it must be at least 1", errUsage},
		{"faults -people 99", "-people is 99; it must be at least 100", errUsage},
		{"faults kill-node", `cluster faults: unexpected argument "kill-node"`, errUsage},
		{"-rate 0", "-rate is 0; it must be 1 to 200", errUsage},
		{"-replicas 2", "-replicas is 2; it must be 1, 3 or 5", errUsage},
		{"-replicas 5", "only three servers are started", errUsage},
		{"-cluster=", "-cluster is empty", errUsage},
		{"-nats http://user:secret@host", "want nats://HOST:PORT", errUsage},
		{"-nats nats://", "want nats://HOST:PORT", errUsage},
		{"nodes -nats x", "cluster nodes: -nats: want nats://HOST:PORT", errUsage},
		{"-nats nats://ada:secret@", "cluster: -nats: want nats://HOST:PORT", errUsage},
		{"nodes -nats nats://ada:%secret@host", "want nats://HOST:PORT", errUsage},
		{"nodes nats://ada:secret@host", `unexpected argument "a URL"`, errUsage},
		{"nats://ada:secret@host", `unknown command "a URL"`, errUsage},
		{"-no", "flag provided but not defined", errUsage},
	} {
		t.Run(test.args, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			err := command(t.Context(), strings.Fields(test.args), &stdout, &stderr)
			if strings.Contains(stderr.String(), "secret") {
				t.Errorf("the password is in %q", &stderr)
			}
			if !errors.Is(err, test.err) || !strings.Contains(stderr.String(), test.want) || stdout.Len() > 0 {
				t.Errorf("error %v, want %v; stdout %q; stderr %q, want %q in it", err, test.err, &stdout, &stderr, test.want)
			}
		})
	}
}

// The command lists the runs that it can make.
func TestListFaults(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := command(t.Context(), []string{"faults", "-list"}, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	for _, one := range faultRuns() {
		if !strings.Contains(stdout.String(), one.name+" ") || !strings.Contains(stdout.String(), one.about+"\n") {
			t.Errorf("%s is not in the list\n%s", one.name, &stdout)
		}
	}
}

func TestNATSURLs(t *testing.T) {
	u, err := readURLs("nats://ada:secret@a.example, tls://b.example:1234, nats://secret@c.example")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(u.texts(), " "), "nats://ada:secret@a.example:4222 tls://b.example:1234 nats://secret@c.example:4222"; got != want {
		t.Errorf("URLs %s, want %s", got, want)
	}
	if strings.Contains(u.String(), "secret") {
		t.Errorf("%s shows the password or the token", u)
	}
}
