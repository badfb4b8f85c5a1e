package enginetest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/planrooms/planrooms/room/enginetest"
)

func TestDropMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		var b, c int
		a, _ := open(t, m, "a", nil)
		open(t, m, "b", func(string, []byte) { b++ })
		open(t, m, "c", func(string, []byte) { c++ })
		m.DropMessages(func(_, to string, _ []byte) bool { return to == "b" })
		_ = a.Send(t.Context(), "", nil)
		synctest.Wait()
		if b != 0 || c != 1 {
			t.Errorf("b has received %d messages, c %d; want 0 and 1", b, c)
		}
	})
}

func TestDelayMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := enginetest.NewMemory(nil)
		var got string
		a, _ := open(t, m, "a", nil)
		open(t, m, "b", func(_ string, msg []byte) { got += string(msg) })
		m.DelayMessages(func(_, _ string, msg []byte) time.Duration { return time.Duration('9'-msg[0]) * time.Second })
		for _, msg := range []string{"1", "3", "2"} {
			_ = a.Send(t.Context(), "b", []byte(msg))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got != "321" {
			t.Errorf("received %s, want 321", got)
		}
	})
}
