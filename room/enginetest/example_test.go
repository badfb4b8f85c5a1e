package enginetest_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/enginetest"
)

// Two nodes share a log. One of them loses its connection, and does not know whether its record was
// stored.
func ExampleMemory() {
	m := enginetest.NewMemory(nil)
	a, b := m.Engine(), m.Engine()
	defer a.Close()
	defer b.Close()
	for name, e := range map[string]room.Engine{"a": a, "b": b} {
		if _, err := e.Open(context.Background(), room.OpenOptions{Cluster: "demo", Node: name}, func(string, []byte) {}); err != nil {
			fmt.Println(err)
		}
	}

	a.CutAnswers()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := a.Append(ctx, "id-1", []byte("hello"))
	fmt.Println("uncertain:", errors.Is(err, room.ErrUncertain))

	a.Heal()
	seq, err := a.Append(context.Background(), "id-1", []byte("hello"))
	fmt.Println("repeated:", seq, err)

	tail, stop := context.WithCancel(context.Background())
	err = b.Tail(tail, 0, func(records []room.Record) {
		for _, r := range records {
			fmt.Printf("record %d: %s\n", r.Seq, r.Data)
		}
		stop()
	})
	fmt.Println(err)
	// Output:
	// uncertain: true
	// repeated: 1 <nil>
	// record 1: hello
	// context canceled
}
