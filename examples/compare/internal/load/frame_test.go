package load_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/examples/compare/internal/load"
)

func TestCutFrame(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 300)
	huge := bytes.Repeat([]byte("y"), 70_000)
	for _, test := range []struct {
		name  string
		bytes []byte
		want  load.Frame
	}{
		{"empty ping", []byte{0x89, 0}, load.Frame{Op: 9, Payload: []byte{}, Size: 2}},
		{"short text", []byte("\x81\x02hi"), load.Frame{Op: 1, Payload: []byte("hi"), Size: 4}},
		{"long text", append([]byte{0x81, 126, 1, 44}, long...), load.Frame{Op: 1, Payload: long, Size: 304}},
		{"huge text", append([]byte{0x81, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70}, huge...), load.Frame{Op: 1, Payload: huge, Size: 70_010}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, rest, complete, err := load.CutFrame(append(bytes.Clone(test.bytes), "next"...))
			if diff := cmp.Diff(test.want, got); diff != "" || !complete || err != nil || string(rest) != "next" {
				t.Errorf("cutFrame: complete %v, rest %q, %v (-want +got):\n%s", complete, rest, err, diff)
			}
			for _, n := range []int{0, 1, len(test.bytes) - 1} {
				_, rest, complete, err := load.CutFrame(test.bytes[:n])
				if complete || err != nil || len(rest) != n {
					t.Errorf("cutFrame of %d of %d bytes: complete %v, %d left, %v", n, len(test.bytes), complete, len(rest), err)
				}
			}
		})
	}
}

func TestCutFrameRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		bytes string
		want  error
	}{
		{"not final", "\x01\x02hi", load.ErrFragment},
		{"continuation", "\x80\x02hi", load.ErrFragment},
		{"compressed", "\xc1\x02hi", load.ErrFragment},
		{"masked", "\x81\x82....hi", load.ErrMasked},
		{"too long", "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", load.ErrTooLong},
	} {
		if _, _, complete, err := load.CutFrame([]byte(test.bytes)); complete || !errors.Is(err, test.want) {
			t.Errorf("%s: cutFrame(%q) = %v, %v, want %v", test.name, test.bytes, complete, err, test.want)
		}
	}
}

func TestClientFrame(t *testing.T) {
	if got, want := load.ClientFrame(1, []byte("hi")), []byte("\x81\x82\x00\x00\x00\x00hi"); !bytes.Equal(got, want) {
		t.Errorf("clientFrame(1, hi) = %q, want %q", got, want)
	}
	if got, want := load.ClientFrame(1, make([]byte, 300))[:4], []byte("\x81\xfe\x01\x2c"); !bytes.Equal(got, want) {
		t.Errorf("clientFrame of 300 bytes begins with %q, want %q", got, want)
	}
}

func TestQuantiles(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(100-i) * 1000
	}
	for _, test := range []struct {
		times         []int64
		p50, p99, top float64
	}{
		{nil, 0, 0, 0},
		{[]int64{7000}, 7, 7, 7},
		{[]int64{2000, 1000}, 1, 2, 2},
		{hundred, 50, 99, 100},
	} {
		if p50, p99, top := load.Quantiles(test.times); p50 != test.p50 || p99 != test.p99 || top != test.top {
			t.Errorf("quantiles of %d times = %v, %v, %v, want %v, %v, %v", len(test.times), p50, p99, top, test.p50, test.p99, test.top)
		}
	}
}
