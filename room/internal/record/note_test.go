package record_test

import (
	"math"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/room/internal/record"
)

func TestNote(t *testing.T) {
	n := record.Note{Version: 1, Tenure: 2, Silent: true, Epoch: "e1", Applied: 300, Fenced: 4, Last: 5, Presence: 6, Host: "web-1"}
	const want = "\xf0prn" + "\x50\x13\xe8\x1c" + "\xa5\xe4\x1b\x67\x42\x76\xd3\x96" + "\x01\x02" + "\x02" + "\x02e1" + "\xac\x02" + "\x04" + "\x05" + "\x06" + "\x05web-1"
	golden(t, record.AppendNote(nil, cluster, &n), want)
	golden(t, record.AppendNote([]byte("dst"), cluster, &n), "dst"+want)
	for _, n := range []record.Note{n, {}, {Shut: true}, {Ready: true}, {Shut: true, Silent: true, Ready: true}} {
		c, got, err := record.ParseNote(record.AppendNote(nil, cluster, &n))
		equal(t, got, err, n)
		equal(t, c, err, cluster)
	}
	for i := range want {
		damaged := []byte(want)
		damaged[i] ^= 1
		for _, b := range [][]byte{damaged, damaged[:i]} {
			if c, n, err := record.ParseNote(b); err != record.ErrNote || c != 0 || n != (record.Note{}) {
				t.Errorf("ParseNote(%q) = %d, %+v, %v, want ErrNote", b, c, n, err)
			}
		}
	}
}

// A note fits into 512 bytes with any values.
func TestNoteSize(t *testing.T) {
	const largest = math.MaxUint64
	n := record.Note{
		Version: 255, Tenure: largest, Shut: true, Silent: true, Ready: true, Epoch: strings.Repeat("e", 64),
		Applied: largest, Fenced: largest, Last: largest, Presence: largest, Host: strings.Repeat("h", 80),
	}
	b := record.AppendNote(nil, largest, &n)
	const maxNote = 512 // room.MaxNote
	if len(b) > maxNote {
		t.Errorf("a note of %d bytes", len(b))
	}
	_, got, err := record.ParseNote(b)
	equal(t, got, err, n)

	n.Epoch, n.Host = strings.Repeat("e", 65), strings.Repeat("h", 1000)
	if cut := record.AppendNote(nil, largest, &n); len(cut) > len(b) {
		t.Errorf("a note of %d bytes", len(cut))
	}
}

func TestNoteCutsNames(t *testing.T) {
	long := strings.Repeat("h", 79)
	for _, tt := range []struct{ host, want string }{
		{long + "hh", long + "h"},
		{long + "ä", long},
		{long[1:] + "😀", long[1:]},
		{long[2:] + "€", long[2:] + "€"},
	} {
		_, got, err := record.ParseNote(record.AppendNote(nil, cluster, &record.Note{Epoch: strings.Repeat("e", 65), Host: tt.host}))
		equal(t, got, err, record.Note{Host: tt.want})
	}
}
