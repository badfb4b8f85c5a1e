package transporttest_test

import (
	"strings"
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

func TestMain(m *testing.M) { transporttest.Main(m) }

func leaking(end chan struct{}) { <-end }

// The stacks of goroutines that are left name their functions.
func TestGoroutinesLeft(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	go leaking(end)
	if got := transporttest.GoroutinesLeft(0); !strings.Contains(got, "transporttest_test.leaking") {
		t.Errorf("goroutines %s", got)
	}
}
