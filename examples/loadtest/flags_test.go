package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(tokens, []byte("one\ntwo\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// what is checked of the settings
	type got struct {
		Conns, Stalled int
		Plans          []string
		Tokens, Users  []string
		Login, Publish bool
	}
	ten := []string{"plan-1", "plan-2", "plan-3", "plan-4", "plan-5", "plan-6", "plan-7", "plan-8", "plan-9", "plan-10"}
	const publish = "POST {http}/x"
	for _, test := range []struct {
		name string
		args []string
		want got
	}{
		{"nothing", nil, got{Conns: 1000, Plans: ten}},
		{"a server in this process", []string{"-rooms", "2", "-conns", "50", "-stalled", "10%"}, got{Conns: 50, Stalled: 5, Plans: ten[:2]}},
		{"stalled as a number", []string{"-conns", "50", "-stalled", "7"}, got{Conns: 50, Stalled: 7, Plans: ten}},
		{"quickstart", []string{"-url", "ws://h/ws"},
			got{Conns: 60, Plans: []string{"demo"}, Users: []string{"alice", "bob", "carol"}, Login: true, Publish: true}},
		{"quickstart, one user", []string{"-url", "ws://h/ws", "-user", "carol", "-plans", "demo,other"},
			got{Conns: 20, Plans: []string{"demo", "other"}, Users: []string{"carol"}, Login: true, Publish: true}},
		{"one token", []string{"-url", "wss://h/ws", "-token", "t", "-plans", "a,b", "-publish", publish, "-preset", "none"},
			got{Conns: 20, Plans: []string{"a", "b"}, Tokens: []string{"t"}, Publish: true}},
		{"a file of tokens", []string{"-url", "wss://h/ws", "-tokens", tokens, "-plans", "p%d", "-rooms", "1", "-publish", publish, "-preset", "none"},
			got{Conns: 40, Plans: []string{"p1"}, Tokens: []string{"one", "two"}, Publish: true}},
		{"a template of users", []string{"-url", "wss://h/ws", "-login", "POST {http}/in {user}", "-user", "u%d", "-plans", "p", "-conns", "41", "-publish", publish, "-preset", "none"},
			got{Conns: 41, Plans: []string{"p"}, Users: []string{"u1", "u2", "u3"}, Login: true, Publish: true}},
		{"a login without a user", []string{"-url", "wss://h/ws", "-login", "POST {http}/in", "-plans", "p", "-publish", publish, "-preset", "none"},
			got{Conns: 20, Plans: []string{"p"}, Users: []string{"all"}, Login: true, Publish: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := parse(test.args, io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			g := got{s.conns, s.stalled, s.plans, s.tokens, s.users, s.login != nil, s.publish != nil}
			if diff := cmp.Diff(test.want, g); diff != "" {
				t.Errorf("parse(%q) (-want +got):\n%s", test.args, diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-rate 0", "-rate"},
		{"-rate NaN", "-rate"},
		{"-for 0s", "-for"},
		{"-ramp -1s", "-ramp"},
		{"-size -1", "-size"},
		{"-cut -1s", "-cut"},
		{"-cut 30s", "-cut"},
		{"-sign RS256 -url ws://127.0.0.1/ws", "-sign"},
		{"-inflight 0", "-inflight"},
		{"-rooms -1", "-rooms"},
		{"-plot x.png", ".svg"},
		{"-stalled x", "-stalled"},
		{"-stalled 101%", "-stalled"},
		{"-stalled 1.5", "-stalled"},
		{"-stalled -1", "-stalled"},
		{"-stalled NaN%", "-stalled"},
		{"-conns 5", "too few for 10 plans"},
		{"-conns 20 -stalled 11", "too few for 10 plans"},
		{"-token x", "need -url"},
		{"-publish x", "need -url"},
		{"-url 127.0.0.1:8080", "-url"},
		{"-url ftp://h/ws", "neither"},
		{"-url ws://h/ws -preset other", "-preset"},
		{"-url ws://h/ws -preset none", "-plans and -publish"},
		{"-url ws://h/ws -preset none -plans p -publish x", "-publish"},
		{"-url ws://h/ws -preset none -plans p -token t -publish PATCH|{http}/{task}", "-load"},
		{"-url ws://h/ws -preset none -plans p -publish GET|{http}", "-token, -tokens and -login"},
		{"-url ws://h/ws -token x -tokens y", "exactly one"},
		{"-url ws://h/ws -tokens /nowhere", "-tokens"},
		{"-url ws://h/ws -preset none -plans p -publish GET|{http} -login POST|{http}|{user}", "-user"},
		{"-url ws://h/ws -login POST", "-login"},
		{"-url ws://h/ws -header x", "-header"},
		{"-url ws://h/ws -rooms 10", "-plans names 1: demo"},
		{"-plans ,", "is not a valid plan ID"},
		{"surplus", "surplus"},
		{"-nonsense", "nonsense"},
	} {
		t.Run(test.args, func(t *testing.T) {
			args := strings.Fields(test.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "|", " ")
			}
			if _, err := parse(args, io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("parse(%q) = %v, want %q", args, err, test.want)
			}
		})
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("parse(-h) = %v, want %v", err, flag.ErrHelp)
	}
}
