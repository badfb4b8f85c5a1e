package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/protocol"
)

// Each message of a node gets into the history as what it is. One that cannot be decoded is
// unreadable, so the judge finds it.
func TestReceived(t *testing.T) {
	for _, test := range []struct {
		text string
		want history.Record
	}{
		{`{"type":"pong","data":{"connected":true,"userId":"ada"}}`, history.Record{What: history.Other, Reason: "pong"}},
		{
			`{"type":"join-plan","planId":"p","data":{"success":true,"position":{"epoch":"e","seq":4},"recovered":true,"participants":[{"userId":"ada"}]}}`,
			history.Record{What: history.Joined, Plan: "p", Reason: "join-plan", Position: &protocol.Position{Epoch: "e", Seq: 4}, Recovered: true, Users: []string{"ada"}},
		},
		{`{"type":"join-plan","planId":"p","data":{"userId":"ben"}}`, history.Record{What: history.Enter, Plan: "p", Reason: "join-plan", User: "ben"}},
		{`{"type":"leave-plan","planId":"p","data":{"userId":"ben"}}`, history.Record{What: history.Leave, Plan: "p", Reason: "leave-plan", User: "ben"}},
		{`{"type":"error","planId":"p","data":{"re":"join-plan","code":"unavailable"}}`, history.Record{What: history.Refused, Plan: "p", Reason: "unavailable"}},
		{`{"type":"error","data":{"re":"ping","code":"rate_limited"}}`, history.Record{What: history.Other, Reason: "error"}},
		{`{"type":"task-updated","planId":"p","data":{"task":{"change":7}},"seq":5,"prev":4}`, history.Record{What: history.Frame, Plan: "p", Seq: 5, Prev: 4, Change: 7}},
		{`{"type":"receipt","planId":"p","seq":5,"prev":4}`, history.Record{What: history.Receipt, Plan: "p", Seq: 5, Prev: 4}},
		{
			`{"type":"resync","planId":"p","data":{"position":{"epoch":"f","seq":9},"reason":"lost"}}`,
			history.Record{What: history.Resync, Plan: "p", Reason: "lost", Position: &protocol.Position{Epoch: "f", Seq: 9}},
		},
		{`{"type":"removed","planId":"p","data":{"reason":"access ended"}}`, history.Record{What: history.Removed, Plan: "p", Reason: "access ended"}},
		{`{"type":"goodbye","data":{"code":1001,"reason":"bye"}}`, history.Record{What: history.Goodbye, Reason: "bye"}},

		{`{"type":"task-up`, history.Record{What: history.Unreadable}},
		{`{"type":"task-updated","planId":"p","data":{"task":7},"seq":5,"prev":4}`, history.Record{What: history.Unreadable, Plan: "p", Seq: 5, Prev: 4}},
		{`{"type":"task-updated","planId":"p","data":{},"seq":5,"prev":4}`, history.Record{What: history.Unreadable, Plan: "p", Seq: 5, Prev: 4}},
		{`{"type":"join-plan","planId":"p","data":{"success":"yes"}}`, history.Record{What: history.Unreadable, Plan: "p"}},
		{`{"type":"resync","planId":"p"}`, history.Record{What: history.Unreadable, Plan: "p"}},
		{`{"type":"error","data":[]}`, history.Record{What: history.Unreadable}},
	} {
		got := received([]byte(test.text), "ada")
		if got.What == history.Unreadable {
			if got.Reason == "" {
				t.Errorf("received(%q) has no reason", test.text)
			}
			got.Reason = ""
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("received(%q) (-want +got):\n%s", test.text, diff)
		}
	}
}

// Of the messages of a client only joins matter, and those that cannot be decoded.
func TestSent(t *testing.T) {
	for _, test := range []struct {
		text string
		what history.What
		ok   bool
	}{
		{`{"type":"join-plan","planId":"p"}`, history.Join, true},
		{`{"type":"join-plan"`, history.Unreadable, true},
		{`{"type":"ping"}`, "", false},
	} {
		if got, ok := sent([]byte(test.text)); ok != test.ok || ok && got.What != test.what {
			t.Errorf("sent(%q) = %+v, %t", test.text, got, ok)
		}
	}
}
