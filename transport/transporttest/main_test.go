package transporttest_test

import (
	"strings"
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

func leaking(started chan<- struct{}, end <-chan struct{}) {
	close(started)
	<-end
}

// The stacks of goroutines that are left name their functions.
func TestGoroutinesLeft(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	started := make(chan struct{})
	go leaking(started, end)
	<-started
	if got := transporttest.GoroutinesLeft(0); !strings.Contains(got, "transporttest_test.leaking") {
		t.Errorf("goroutines %s", got)
	}
}
