package natsengine_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/planrooms/planrooms/room/natsengine"
)

// replica answers one direct get of a stream in place of the server. It returns when the server
// answers again; ended is closed then.
func replica(t *testing.T, m *machine, stream string, answer map[uint64]string) (ended chan struct{}) {
	t.Helper()
	account := m.server.GlobalAccount()
	nc, err := nats.Connect(m.url())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	ended = make(chan struct{})
	subject := "$JS.API.DIRECT.GET." + stream
	_, err = nc.Subscribe("replica", func(request *nats.Msg) {
		account.RemoveMapping(subject)
		for seq := uint64(1); seq < 100; seq++ {
			if data, ok := answer[seq]; ok {
				_ = nc.PublishMsg(&nats.Msg{Subject: request.Reply, Data: []byte(data), Header: nats.Header{"Nats-Sequence": {strconv.FormatUint(seq, 10)}}})
			}
		}
		_ = nc.PublishMsg(&nats.Msg{Subject: request.Reply, Header: nats.Header{"Status": {"204"}, "Nats-Num-Pending": {"0"}}})
		close(ended)
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
	return ended
}

func wait(t *testing.T, ended chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-within(t).Done():
		t.Fatal("no direct get")
	}
}

// A replica that has not applied the note of this node yet may lack notes of others, too. Beat asks
// again.
func TestReplicaLacksNote(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	asked := replica(t, m, "planrooms_notes", nil)
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
	asked := replica(t, m, "planrooms_log", map[uint64]string{1: "record 1", 3: "record 3", 4: "record 4"})
	seen := follow(t, a, 0)
	wait(t, asked)
	for i, r := range seen.wait(4) {
		if want := fmt.Sprintf("record %d", i+1); r.Seq != uint64(i+1) || string(r.Data) != want {
			t.Errorf("record %d is %d %q", i+1, r.Seq, r.Data)
		}
	}
}

// A replica with another record than the one that was delivered does not prove that the log has lost
// it: the leader does not have the other one.
func TestReplicaDiffers(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	appendAll(t, a, 1, 2)
	seen := follow(t, a, 0)
	seen.wait(2)
	asked := replica(t, m, "planrooms_log", map[uint64]string{2: "another record", 3: "and one after it"})
	appendAll(t, a, 3, 3)
	wait(t, asked)
	if r := seen.wait(3)[2]; string(r.Data) != "record 3" {
		t.Errorf("record 3 is %q", r.Data)
	}
}
