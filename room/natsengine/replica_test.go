package natsengine_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room/natsengine"
)

// replica answers the direct gets of a stream instead of the server: all, or only the next one. It
// has the records that it is given. asked receives a token for each answer.
func replica(t *testing.T, m *machine, stream string, all bool, records map[uint64]string) (asked chan struct{}) {
	t.Helper()
	account := m.server.GlobalAccount()
	nc, err := nats.Connect(m.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	asked = make(chan struct{}, 100)
	subject := "$JS.API.DIRECT.GET." + stream
	_, err = nc.Subscribe("replica", func(m *nats.Msg) {
		if !all {
			account.RemoveMapping(subject)
		}
		var request struct{ Seq uint64 }
		if err := json.Unmarshal(m.Data, &request); err != nil {
			t.Error(err)
		}
		for _, seq := range slices.Sorted(maps.Keys(records)) {
			if seq >= request.Seq {
				_ = nc.PublishMsg(&nats.Msg{Subject: m.Reply, Data: []byte(records[seq]), Header: nats.Header{"Nats-Sequence": {strconv.FormatUint(seq, 10)}}})
			}
		}
		_ = nc.PublishMsg(&nats.Msg{Subject: m.Reply, Header: nats.Header{"Status": {"204"}, "Nats-Num-Pending": {"0"}}})
		asked <- struct{}{}
	})
	if err == nil {
		err = nc.Flush()
	}
	if err == nil {
		err = account.AddMapping(subject, "replica")
	}
	if err != nil {
		t.Fatal(err)
	}
	return asked
}

func wait(t *testing.T, asked chan struct{}) {
	t.Helper()
	select {
	case <-asked:
	case <-within(t).Done():
		t.Fatal("no direct get")
	}
}

// A replica that has not applied the note of this node yet may lack notes of others, too. Beat asks
// again.
func TestReplicaLacksNote(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	asked := replica(t, m, "planrooms_notes", false, nil)
	nodes, _, err := a.Beat(within(t), []byte("note"))
	if err != nil || len(nodes) != 1 {
		t.Errorf("Beat has returned %d notes, %v", len(nodes), err)
	}
	wait(t, asked)
}

// A record that one replica lacks, between others, is read from the leader.
func TestReplicaLacksRecord(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	appendAll(t, a, 1, 4)
	asked := replica(t, m, "planrooms_log", true, map[uint64]string{1: "record 1", 3: "record 3", 4: "record 4"})
	seen := follow(t, a, 0)
	wait(t, asked)
	for i, r := range seen.wait(4) {
		if want := fmt.Sprintf("record %d", i+1); r.Seq != uint64(i+1) || string(r.Data) != want {
			t.Errorf("record %d is %d %q", i+1, r.Seq, r.Data)
		}
	}
}

// A replica with another record than the one that was delivered does not prove that the log has
// lost it: the leader does not have the other one.
func TestReplicaDiffers(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	appendAll(t, a, 1, 2)
	seen := follow(t, a, 0)
	seen.wait(2)
	asked := replica(t, m, "planrooms_log", false, map[uint64]string{2: "another record", 3: "and one after it"})
	appendAll(t, a, 3, 3)
	wait(t, asked)
	if r := seen.wait(3)[2]; string(r.Data) != "record 3" {
		t.Errorf("record 3 is %q", r.Data)
	}
}

// A replica that does not have a record yet, although the bell has rung for it, is asked again for
// it together with the record before, unless that one is large.
func TestReplicaLacksLastRecord(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	appendAll(t, a, 1, 1)
	seen := follow(t, a, 0)
	seen.wait(1)
	nc := newAdmin(t, m).js.Conn()
	reads, err := nc.SubscribeSync("$JS.API.DIRECT.GET.planrooms_log")
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	asked := replica(t, m, "planrooms_log", false, map[uint64]string{1: "record 1"})
	appendAll(t, a, 2, 2)
	wait(t, asked)
	seen.wait(2)
	next, err := reads.NextMsgWithContext(within(t))
	if err != nil {
		t.Fatal(err)
	}
	var request struct{ Seq uint64 }
	if err := json.Unmarshal(next.Data, &request); err != nil || request.Seq != 1 {
		t.Errorf("the next request is %s, %v, want one from seq 1 on", next.Data, err)
	}
}
