package transporttest

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// Main runs the tests of a package and exits. The run fails if a goroutine is still running 5
// seconds after the last test, because then a server or a client has not been closed. It closes the
// idle connections of [http.DefaultClient].
//
//	func TestMain(m *testing.M) { transporttest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		os.Exit(code) // fuzzing starts goroutines that remain
	}
	http.DefaultClient.CloseIdleConnections()
	if left := goroutinesLeft(5 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n%s", left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits until only one goroutine is left. It returns the stacks of all goroutines if
// that takes too long.
func goroutinesLeft(wait time.Duration) string {
	for deadline := time.After(wait); ; {
		if runtime.NumGoroutine() <= 1 {
			return ""
		}
		select {
		case <-deadline:
			var b bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // a bytes.Buffer returns no error
			return b.String()
		case <-time.After(time.Millisecond):
		}
	}
}
