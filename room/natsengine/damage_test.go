package natsengine_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// damage restarts a server after changing a byte of its file of a stream in each of the texts.
func damage(t *testing.T, m *machine, stream string, texts ...string) {
	t.Helper()
	if err := m.stop(); err != nil {
		t.Fatal(err)
	}
	blocks, err := filepath.Glob(filepath.Join(m.disk(), "jetstream", "$G", "streams", stream, "msgs", "*.blk"))
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%d blocks, %v", len(blocks), err)
	}
	file := read(t, blocks[0])
	for _, text := range texts {
		i := bytes.Index(file, []byte(text))
		if i < 0 {
			t.Fatalf("the file does not have %q", text)
		}
		file[i] ^= 0x20
	}
	write(t, blocks[0], file)
	m.start()
}

// The server does not count a record that it cannot read any more as a gap. A Tail that comes to it
// ends with the seq of the next one that can be read, and goes on from there.
func TestDamagedRecord(t *testing.T) {
	for name, c := range map[string]struct {
		damaged []string
		before  int    // records that can be read
		next    uint64 // the seq of the next one
	}{
		"one":         {[]string{"record 5"}, 4, 6},
		"the first":   {[]string{"record 1"}, 0, 2},
		"the last":    {[]string{"record 9"}, 8, 10},
		"three":       {[]string{"record 4", "record 5", "record 6"}, 3, 8}, // the engine skips 7
		"two at once": {[]string{"record 4", "record 5"}, 3, 6},
	} {
		t.Run(name, func(t *testing.T) {
			m := one(t, nil)
			o := natsengine.Options{Servers: []string{m.url()}}
			a, _ := open(t, o, "a")
			appendAll(t, a, 1, 9)
			a.Close()
			damage(t, m, "planrooms_log", c.damaged...)
			b, _ := open(t, o, "b")
			seen := follow(t, b, 0)
			var trimmed *room.TrimmedError
			if err := seen.ended(); !errors.As(err, &trimmed) || trimmed.First != c.next || len(seen.records) != c.before {
				t.Fatalf("the tail has ended with %v after %d records, want a room.TrimmedError with %d after %d", err, len(seen.records), c.next, c.before)
			}
			appendOthers(t, b, 1)
			rest := follow(t, b, c.next-1).wait(10 - int(c.next) + 1)
			if rest[0].Seq != c.next || rest[len(rest)-1].Seq != 10 {
				t.Errorf("the tail has gone on with seq %d to %d, want %d to 10", rest[0].Seq, rest[len(rest)-1].Seq, c.next)
			}
		})
	}
}
