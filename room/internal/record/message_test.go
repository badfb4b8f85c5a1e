package record_test

import (
	"bytes"
	"testing"

	"github.com/planrooms/planrooms/room/internal/record"
)

func TestMessage(t *testing.T) {
	const want = "\xf0prm" + "\xaa\xbf\x43\x1b" + "\xa5\xe4\x1b\x67\x42\x76\xd3\x96" + "\x05" + "body"
	golden(t, record.AppendMessage(nil, cluster, record.MessageNotify, []byte("body")), want)
	golden(t, record.AppendMessage([]byte("dst"), cluster, record.MessageNotify, []byte("body")), "dst"+want)
	if len(want) != record.MessageOverhead+len("body") {
		t.Errorf("MessageOverhead = %d", record.MessageOverhead)
	}
	for _, k := range []record.MessageKind{0, record.MessageAck, 255} {
		c, got, body, err := record.ParseMessage(record.AppendMessage(nil, cluster, k, []byte("body")))
		equal(t, c, err, cluster)
		equal(t, got, err, k)
		equal(t, string(body), err, "body")
	}
	for i := range want {
		damaged := []byte(want)
		damaged[i] ^= 1
		for _, b := range [][]byte{damaged, damaged[:i]} {
			if c, k, body, err := record.ParseMessage(b); err != record.ErrMessage || c != 0 || k != 0 || body != nil {
				t.Errorf("ParseMessage(%q) = %d, %v, %q, %v, want ErrMessage", b, c, k, body, err)
			}
		}
	}
}

func TestAck(t *testing.T) {
	a := record.Ack{Epoch: "e1", Seq: 300, Counts: [4]uint32{1, 2, 0, 1<<32 - 1}}
	golden(t, a.Append(nil), "\x02e1"+"\xac\x02"+"\x01"+"\x02"+"\x00"+"\xff\xff\xff\xff\x0f")
	onlyWhole(t, a.Append(nil), record.ParseAck, a)
}

func TestNotify(t *testing.T) {
	n := record.Notify{UserID: "ann", Type: "assigned", Payload: []byte(`{"a":1}`)}
	golden(t, n.Append(nil), "\x07"+`{"a":1}`+"\x03ann"+"\x08assigned")
	onlyWhole(t, n.Append(nil), record.ParseNotify, n)
}

// What shares memory with the input cannot be extended into it.
func TestSharedBytesHaveNoRoom(t *testing.T) {
	n := record.Notify{UserID: "ann", Payload: []byte("payload")}
	body := n.Append(nil)
	e, full := fullEvent()
	event := []byte(full)
	gotN, err := record.ParseNotify(body)
	equal(t, gotN, err, n)
	gotE, err := record.ParseEvent(event)
	equal(t, gotE, err, e)
	_ = append(gotN.Payload, "overwritten"...)
	_ = append(gotE.Encoded, "overwritten"...)
	golden(t, body, string(n.Append(nil)))
	if !bytes.Equal(event, []byte(full)) {
		t.Errorf("the body has become %q", event)
	}
}
