package record_test

import (
	"testing"

	"github.com/planrooms/planrooms/room/internal/record"
)

func TestResync(t *testing.T) {
	s := record.Resync{ID: "n:2", IDs: []string{"n:1", "", "b:7"}}
	golden(t, s.Append(nil), "\x03n:2"+"\x03"+"\x03n:1"+"\x00"+"\x03b:7")
	onlyWhole(t, s.Append(nil), record.ParseResync, s)

	s = record.Resync{ID: "n:2"}
	golden(t, s.Append([]byte("dst")), "dst"+"\x03n:2"+"\x00")
	onlyWhole(t, s.Append(nil), record.ParseResync, s)
}

func TestControl(t *testing.T) {
	c := record.Control{ID: "n:3", Origin: "node-1", UserID: "ann", SessionID: "s1", SignInAgain: true}
	golden(t, c.Append(nil), "\x03n:3"+"\x06node-1"+"\x03ann"+"\x02s1"+"\x02")
	onlyWhole(t, c.Append(nil), record.ParseControl, c)

	c = record.Control{OnlySession: true}
	golden(t, c.Append([]byte("dst")), "dst"+"\x00\x00\x00\x00"+"\x01")
	onlyWhole(t, c.Append(nil), record.ParseControl, c)

	got, err := record.ParseControl([]byte("\x00\x00\x00\x00\xff")) // with flags of a later version
	equal(t, got, err, record.Control{OnlySession: true, SignInAgain: true})
}

func TestNodeRecord(t *testing.T) {
	n := record.NodeRecord{Name: "node-1", Tenure: 300, Epoch: "e1", Since: 200, Versions: 1}
	golden(t, n.Append(nil), "\x06node-1"+"\xac\x02"+"\x02e1"+"\xc8\x01"+"\x01")
	golden(t, n.Append([]byte("dst")), "dst\x06node-1"+"\xac\x02"+"\x02e1"+"\xc8\x01"+"\x01")
	onlyWhole(t, n.Append(nil), record.ParseNodeRecord, n)
}

func TestSilent(t *testing.T) {
	s := record.Silent{Name: "node-1", Tenure: 1<<64 - 1}
	golden(t, s.Append(nil), "\x06node-1"+"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	onlyWhole(t, s.Append(nil), record.ParseSilent, s)
}

func TestEpoch(t *testing.T) {
	e := record.Epoch{Old: "e1", New: "e22", By: "node-1", Since: 7}
	golden(t, e.Append(nil), "\x02e1"+"\x03e22"+"\x06node-1"+"\x07")
	onlyWhole(t, e.Append(nil), record.ParseEpoch, e)
}

func TestRelay(t *testing.T) {
	r := record.Relay{Name: "node-1", Term: 5}
	golden(t, r.Append(nil), "\x06node-1"+"\x05")
	onlyWhole(t, r.Append(nil), record.ParseRelay, r)
}

func TestVarintOverflow(t *testing.T) {
	if got, err := record.ParseRelay([]byte("\x00" + "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")); err != record.ErrBody {
		t.Errorf("ParseRelay of a term above 2^64: %+v, %v, want ErrBody", got, err)
	}
	if got, err := record.ParseAck([]byte("\x00\x01" + "\x80\x80\x80\x80\x10" + "\x00\x00\x00")); err != record.ErrBody {
		t.Errorf("ParseAck of a count of 2^32: %+v, %v, want ErrBody", got, err)
	}
}
