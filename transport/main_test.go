package transport_test

import (
	"testing"

	"github.com/planrooms/planrooms/transport/transporttest"
)

// TestMain fails if a test leaves a goroutine behind.
func TestMain(m *testing.M) { transporttest.Main(m) }
