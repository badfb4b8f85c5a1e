package client_test

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

// TestMain fails if a test leaves a goroutine behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(code) // the fuzzing engine has goroutines
	}
	http.DefaultClient.CloseIdleConnections()
	if left := goroutinesLeft(5 * time.Second); code == 0 && left != "" {
		fmt.Fprintf(os.Stderr, "goroutines left over:\n%s", left)
		code = 1
	}
	os.Exit(code)
}

// goroutinesLeft waits until only the main goroutine is left. It returns the stacks if that takes
// too long.
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
