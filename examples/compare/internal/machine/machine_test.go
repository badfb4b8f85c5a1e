package machine_test

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
)

func TestArrange(t *testing.T) {
	for _, test := range []struct {
		allowed []int
		server  int
		want    machine.Layout
	}{
		{[]int{0, 1}, 1, machine.Layout{Server: []int{0}, Load: []int{1}}},
		{[]int{0, 1}, 2, machine.Layout{Server: []int{0, 1}, Load: []int{1}, Shared: true}},
		{[]int{3}, 1, machine.Layout{Server: []int{3}, Load: []int{3}, Shared: true}},
		{[]int{2, 4, 6, 8}, 2, machine.Layout{Server: []int{2, 4}, Load: []int{6}}},
	} {
		got, err := machine.Arrange(test.allowed, test.server)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("Arrange(%v, %d): %v (-want +got):\n%s", test.allowed, test.server, err, diff)
		}
	}
	for _, server := range []int{0, 3} {
		if got, err := machine.Arrange([]int{0, 1}, server); err == nil {
			t.Errorf("Arrange([0 1], %d) = %+v, want an error", server, got)
		}
	}
}

func TestStartPins(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	allowed, err := machine.Allowed()
	if err != nil {
		t.Fatal(err)
	}
	last := allowed[len(allowed)-1]
	cmd := exec.Command("grep", "Cpus_allowed_list", "/proc/self/status")
	var out strings.Builder
	cmd.Stdout = &out
	if err := machine.Start(cmd, []int{last}); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Fields(out.String()); len(got) != 2 || got[1] != strconv.Itoa(last) {
		t.Errorf("a command pinned to CPU %d may use %q", last, got)
	}
	after, err := machine.Allowed()
	if diff := cmp.Diff(allowed, after); diff != "" || err != nil {
		t.Errorf("Start left the thread pinned: %v (-want +got):\n%s", err, diff)
	}
}

func TestBusyTicks(t *testing.T) {
	const stat = "cpu  100 20 30 4000 500 6 7 800 9 10\ncpu0 1 2 3\n"
	if got, err := machine.BusyTicks([]byte(stat)); got != 1630*time.Millisecond || err != nil {
		t.Errorf("busyTicks(%q) = %v, %v, want 1.63s", stat, got, err)
	}
	for _, stat := range []string{"", "cpu0 1 2", "cpu  x 2 3"} {
		if got, err := machine.BusyTicks([]byte(stat)); err == nil {
			t.Errorf("busyTicks(%q) = %v, want an error", stat, got)
		}
	}
}

func TestParseThread(t *testing.T) {
	stat := "71 (a b) c) S" + strings.Repeat(" 0", 35) + " 5 0 0"
	if used, cpu, err := machine.ParseThread("123456 7 8\n", stat); used != 123456 || cpu != 5 || err != nil {
		t.Errorf("parseThread = %v, %d, %v, want 123.456µs, 5", used, cpu, err)
	}
	for _, bad := range [][2]string{{"x", stat}, {"1 2 3", "71 (a) S 1 2"}} {
		if _, _, err := machine.ParseThread(bad[0], bad[1]); err == nil {
			t.Errorf("parseThread(%q, %q) returned no error", bad[0], bad[1])
		}
	}
}

func TestSelf(t *testing.T) {
	cores := machine.WatchCores()
	before, err := machine.Busy()
	if err != nil {
		t.Fatal(err)
	}
	u, err := machine.Self()
	if err != nil || u.CPU <= 0 || u.RSS <= 0 {
		t.Errorf("Self() = %+v, %v, want some CPU and memory", u, err)
	}
	if after, err := machine.Busy(); after < before || err != nil {
		t.Errorf("Busy() = %v after %v, %v", after, before, err)
	}
	var sum time.Duration
	for _, d := range cores.Spent() {
		sum += d
	}
	if sum <= 0 {
		t.Errorf("Spent() adds up to %v, want more than 0", sum)
	}
	cores.Stop()
	if n, err := machine.Descriptors(); n < 1 || err != nil {
		t.Errorf("Descriptors() = %d, %v", n, err)
	}
}

func TestProcess(t *testing.T) {
	before, err := machine.SelfCPU()
	if err != nil {
		t.Fatal(err)
	}
	same, err := machine.CPUOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	after, err := machine.SelfCPU()
	// getrusage counts in µs, and splits the time into that of the user and of the system.
	if err != nil || same < before-10*time.Millisecond || same > after+10*time.Millisecond {
		t.Errorf("CPUOf this process = %v, want between %v and %v (%v)", same, before, after, err)
	}
	if rss, err := machine.RSSOf(os.Getpid()); err != nil || rss < 1<<20 {
		t.Errorf("RSSOf this process = %d, %v, want more than a MiB", rss, err)
	}
	const nobody = 1 << 23 // more than the largest process ID
	if _, err := machine.CPUOf(nobody); err == nil {
		t.Error("CPUOf no process succeeded")
	}
	if _, err := machine.RSSOf(nobody); err == nil {
		t.Error("RSSOf no process succeeded")
	}
}
