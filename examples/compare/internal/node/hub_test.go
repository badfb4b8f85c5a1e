package node_test

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
	"github.com/planrooms/planrooms/examples/compare/internal/node"
	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

// The viewers of a load are gone when View returns, not when they have lingered for 5 s.
func TestViewersLeave(t *testing.T) {
	h, err := node.NewHub()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.View("a", "b"); err != nil {
			t.Fatal(err)
		}
		if err := h.Present(1, "a", "b"); err != nil {
			t.Fatal(err)
		}
		for _, plan := range []string{"a", "b"} {
			if n := h.People(plan); n != 1 {
				t.Errorf("plan %s has %d users, want the viewer alone", plan, n)
			}
		}
	}
	if err := h.View(); err != nil || h.People("a") != 0 || h.People("b") != 0 {
		t.Errorf("View() = %v, and the plans have %d and %d users, want none", err, h.People("a"), h.People("b"))
	}
}

// A join that the hub refuses fails at once, and the error says why.
func TestRefusedJoin(t *testing.T) {
	h, err := node.NewHub()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.View("a plan\n"); err == nil || !strings.Contains(err.Error(), "bad_plan_id") {
		t.Errorf("View of a plan without a valid ID = %v, want bad_plan_id", err)
	}
}

// A viewer learns of the others from the answer to its join, and from notices.
func TestSeatKnows(t *testing.T) {
	s := node.NewSeat()
	for _, test := range []struct {
		message string
		want    int
	}{
		{`{"type":"pong","data":{}}`, 0},
		{`{"type":"join-plan","planId":"plan-0","data":{"success":true,"participants":[{"userId":"a"},{"userId":"b"}]}}`, 2},
		{`{"type":"join-plan","planId":"plan-0","data":{"userId":"c","participantCount":3}}`, 3},
		{`{"type":"join-plan","planId":"plan-0","data":{"userId":"c","participantCount":3}}`, 3}, // another name
		{`{"type":"leave-plan","planId":"plan-0","data":{"userId":"b","participantCount":2}}`, 2},
		{``, 2},
	} {
		s.Receive(test.message)
		if got := s.Known(); got != test.want {
			t.Errorf("after %s a viewer knows %d users, want %d", test.message, got, test.want)
		}
	}
}

// The error of a request that fails has what the node has logged.
func TestErrorHasTheLog(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	cpus, err := machine.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // never unlocked: the process ends with the thread
	p, err := process.Start(cpus, sh, "-c", `echo no leader >&2; read -r line; echo '{"err":"no answer"}'; read -r line`)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for deadline := time.Now().Add(time.Minute); p.Stderr() == ""; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the process has logged nothing")
		}
	}
	err = node.NewProcess(p).View(node.View{})
	if err == nil || !strings.Contains(err.Error(), "no answer") || !strings.Contains(err.Error(), "no leader") {
		t.Errorf("error %v, want the answer and the log", err)
	}
}
