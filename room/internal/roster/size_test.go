package roster_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/planrooms/planrooms/room/internal/roster"
)

// crowd is a list of n users in plans of size users each.
func crowd(n, size int) *roster.Own {
	own := roster.NewOwn()
	for i := range n {
		p := person(fmt.Sprintf("user-%08d", i))
		p.UserName = fmt.Sprintf("Given Family %d", i)
		own.Set(fmt.Sprintf("plan-%06d", i/size), p)
	}
	return own
}

// TestMemory compares Bytes with the memory that the lists use.
func TestMemory(t *testing.T) {
	for _, size := range []int{1, 10, 20_000} {
		var own *roster.Own
		measure(t, fmt.Sprintf("own list, %d in a plan", size), func() int {
			own = crowd(20_000, size)
			deltas(own, maxBytes)
			return own.Bytes()
		})
		pages, x := own.Pages(maxBytes), roster.NewOthers()
		measure(t, fmt.Sprintf("other list, %d in a plan", size), func() int {
			x.Add("a")
			takePages(t, x, "a", pages, false)
			return x.Bytes()
		})
		measure(t, "the same users on another node", func() int {
			before := x.Bytes()
			x.Add("b")
			takePages(t, x, "b", pages, false)
			return x.Bytes() - before
		})
		runtime.KeepAlive(own)
		runtime.KeepAlive(x)
		runtime.KeepAlive(pages)
	}
}

func measure(t *testing.T, what string, build func() (bytes int)) {
	t.Helper()
	before := heap()
	counted := build()
	used := int(heap() - before)
	t.Logf("%s: %d bytes a person, counted %d", what, used/20_000, counted/20_000)
	if counted < used*3/4 || counted > used*4/3 {
		t.Errorf("%s: uses %d bytes, counted %d", what, used, counted)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkSetAndDelta20000(b *testing.B) {
	for b.Loop() {
		deltas(crowd(20_000, 100), maxBytes)
	}
}

func BenchmarkPages20000(b *testing.B) {
	own := crowd(20_000, 100)
	for b.Loop() {
		own.Pages(maxBytes)
	}
}

func BenchmarkTakePages20000(b *testing.B) {
	own := crowd(20_000, 100)
	deltas(own, maxBytes)
	pages := own.Pages(maxBytes)
	bytes := 0
	for _, page := range pages {
		bytes += len(page)
	}
	b.ReportMetric(float64(len(pages)), "pages")
	b.ReportMetric(float64(bytes)/20_000, "B/person")
	for b.Loop() {
		x := others("a")
		n := 0
		for _, page := range pages {
			changed, _ := x.Page("a", page)
			n += len(changed)
		}
		if n != 20_000 {
			b.Fatal(n)
		}
	}
}

func BenchmarkGone20000(b *testing.B) {
	own := crowd(20_000, 100)
	deltas(own, maxBytes)
	pages := own.Pages(maxBytes)
	for b.Loop() {
		b.StopTimer()
		x := others("a")
		for _, page := range pages {
			x.Page("a", page)
		}
		b.StartTimer()
		x.Gone("a")
	}
}
