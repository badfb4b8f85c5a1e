package main

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/examples/cluster/internal/history"
	"github.com/planrooms/planrooms/transport/client"
)

// at is a time in a made-up history.
func at(seconds float64) time.Time {
	return time.Unix(1000, 0).Add(time.Duration(seconds * float64(time.Second)))
}

// verdict runs a check, and returns what it found to be broken.
func verdict(lenient bool, check func(*trial)) string {
	r := &trial{stderr: io.Discard, options: faultOptions{lenient: lenient}}
	check(r)
	return strings.Join(r.broken, "; ")
}

// match reports whether text contains want, or is empty if want is.
func match(text, want string) bool {
	return (text == "") == (want == "") && strings.Contains(text, want)
}

// The run stop-node finds what its clients must not see.
func TestJudgeStop(t *testing.T) {
	attempts := []history.Attempt{
		{Time: at(0), Plan: "p", Change: 7, Result: history.Acknowledged},
		{Time: at(5), Plan: "p", Change: 8, Result: history.Acknowledged},
		{Time: at(21), Plan: "p", Change: 9, Result: history.Acknowledged},
	}
	frame := func(viewer string, seconds float64, change uint64) history.Record {
		return history.Record{Time: at(seconds), Viewer: viewer, Node: "n1", What: history.Frame, Plan: "p", Change: change}
	}
	for _, test := range []struct {
		name    string
		revoked float64
		records []history.Record
		want    string
	}{
		{"sound", 14, []history.Record{frame("direct", 1, 7), frame("victim", 1, 7), frame("direct", 21.5, 8)}, ""},
		{"in hand before the stop", 14, []history.Record{frame("direct", 20.5, 8), frame("victim", 20.5, 8)}, ""},
		{"of the time of the stop", 14, []history.Record{frame("direct", 20.5, 9)}, "1 events of changes after the stop came from n1 before its new tenure: the first, change 9 of p, to direct"},
		{"to the user without access", 14, []history.Record{frame("victim", 21.5, 9)}, "received 1 events of p after its access had ended"},
		{"of the time of the stop, to the user without access", 14, []history.Record{frame("victim", 20.5, 9)},
			"victim received 1 events of p after its access had ended"},
		{"to the user without access, while the gate opens", 14, []history.Record{frame("victim", 20.95, 9)},
			"victim received 1 events of p after its access had ended"},
		{"in hand, while the gate opens", 14, []history.Record{frame("victim", 20.95, 8), frame("direct", 20.95, 9)}, ""},
		{"Revoke did not wait", 2, nil, "Revoke returned 8.0 s before the tenure"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stop{
				node: "n1", direct: []string{"direct"}, victim: "victim", plan: "p", tenureEnd: at(10), stopped: at(1.5),
				revoked: at(test.revoked), woken: at(20), opening: opening{Tenure: 2, Shut: at(20.9), Open: at(21)},
			}
			got := verdict(true, func(r *trial) { r.judgeStop(histories{test.records, attempts}, s) })
			if !match(got, test.want) {
				t.Errorf("broken: %q, want %q", got, test.want)
			}
		})
	}
}

// The run moves excuses only loads from nodes that lagged, and only if it is lenient.
func TestJudgeLoads(t *testing.T) {
	reload := func(reason client.ReloadReason, after float64) []history.Record {
		return []history.Record{
			{Time: at(0), Viewer: "mover", What: history.Join, Plan: "p"},
			{Time: at(0.1), Viewer: "mover", What: history.Reload, Plan: "p", Reason: string(client.ReloadJoined)},
			{Time: at(5), Viewer: "mover", What: history.Join, Plan: "p"},
			{Time: at(5 + after), Viewer: "mover", What: history.Reload, Plan: "p", Reason: string(reason)},
			{Time: at(6), Viewer: "other", What: history.Reload, Plan: "p", Reason: string(reason)},
		}
	}
	for _, test := range []struct {
		name    string
		lenient bool
		records []history.Record
		want    string
	}{
		{"none", false, reload(client.ReloadJoined, 0)[:2], ""},
		{"the node lagged", true, reload(client.ReloadNotRecovered, 2.1), ""},
		{"not lenient", false, reload(client.ReloadNotRecovered, 2.1), "not_recovered 1"},
		{"at once", true, reload(client.ReloadNotRecovered, 0.1), "not_recovered 1"},
		{"another reason", true, reload(client.ReloadJoined, 2.1), "joined 1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := verdict(test.lenient, func(r *trial) { r.judgeLoads(moveLoads(test.records, "mover", "p")) })
			if !match(got, test.want) {
				t.Errorf("broken: %q, want %q", got, test.want)
			}
		})
	}
}
