package natsengine_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/room"
	"github.com/planrooms/planrooms/room/natsengine"
)

// open returns an engine that has opened the cluster "test".
func open(t *testing.T, o natsengine.Options, node string) (*natsengine.Engine, room.Opened) {
	t.Helper()
	e := natsengine.New(o)
	t.Cleanup(func() { e.Close() })
	opened, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: node}, func(string, []byte) {})
	if err != nil {
		t.Fatal(err)
	}
	return e, opened
}

// within returns a context that ends a call that hangs.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// tail collects what a Tail delivers.
type tail struct {
	t      *testing.T
	cancel context.CancelFunc
	done   chan error

	mu      sync.Mutex // guards what follows
	records []room.Record
	grown   chan struct{}
}

func follow(t *testing.T, e *natsengine.Engine, after uint64) *tail {
	ctx, cancel := context.WithCancel(t.Context())
	f := &tail{t: t, cancel: cancel, done: make(chan error, 1), grown: make(chan struct{}, 1)}
	go func() {
		f.done <- e.Tail(ctx, after, func(list []room.Record) {
			f.mu.Lock()
			f.records = append(f.records, list...)
			f.mu.Unlock()
			select {
			case f.grown <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(cancel)
	return f
}

// wait returns the records once there are n.
func (f *tail) wait(n int) []room.Record {
	f.t.Helper()
	ctx := within(f.t)
	for {
		f.mu.Lock()
		records := f.records
		f.mu.Unlock()
		if len(records) >= n {
			return records
		}
		select {
		case <-f.grown:
		case err := <-f.done:
			f.t.Fatalf("the tail ended with %d of %d records: %v", len(records), n, err)
		case <-ctx.Done():
			f.t.Fatalf("%d of %d records", len(records), n)
		}
	}
}

// ended returns the error of the tail.
func (f *tail) ended() error {
	f.t.Helper()
	select {
	case err := <-f.done:
		return err
	case <-within(f.t).Done():
		f.t.Fatal("the tail does not end")
		return nil
	}
}

func appendAll(t *testing.T, e *natsengine.Engine, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		seq, err := e.Append(within(t), fmt.Sprintf("id-%d", i), fmt.Appendf(nil, "record %d", i))
		if err != nil || seq != uint64(i) {
			t.Fatalf("append %d: seq %d, %v", i, seq, err)
		}
	}
}

func TestAppendAndTail(t *testing.T) {
	m := one(t, nil)
	a, opened := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	if diff := cmp.Diff(room.Window{Epoch: opened.Window.Epoch, First: 1, Last: 0}, opened.Window); diff != "" || opened.Window.Epoch == "" {
		t.Fatalf("window (-want +got):\n%s", diff)
	}
	b, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "b")
	early := follow(t, b, 0)
	appendAll(t, a, 1, 700)
	late := follow(t, b, 300)
	records := early.wait(700)
	for i, r := range records {
		if r.Seq != uint64(i+1) || string(r.Data) != fmt.Sprintf("record %d", i+1) {
			t.Fatalf("record %d is %d %q", i, r.Seq, r.Data)
		}
	}
	if diff := cmp.Diff(records[300:], late.wait(400)); diff != "" {
		t.Errorf("a tail from 300 on (-want +got):\n%s", diff)
	}
	if seq, err := b.Append(within(t), "id-7", []byte("another")); seq != 7 || err != nil {
		t.Errorf("the same ID: seq %d, %v", seq, err)
	}
	early.cancel()
	if err := early.ended(); err != context.Canceled {
		t.Errorf("the tail ended with %v", err)
	}
}

func TestBeat(t *testing.T) {
	m := one(t, nil)
	a, _ := open(t, natsengine.Options{Servers: []string{m.url()}}, "a")
	b, opened := open(t, natsengine.Options{Servers: []string{m.url()}}, "b")
	appendAll(t, a, 1, 3)
	for i := range 3 {
		if _, _, err := a.Beat(within(t), fmt.Appendf(nil, "a%d", i+1)); err != nil {
			t.Fatal(err)
		}
	}
	nodes, window, err := b.Beat(within(t), []byte("b1"))
	if err != nil {
		t.Fatal(err)
	}
	want := []room.Node{{Name: "a", Number: 3, Note: []byte("a3")}, {Name: "b", Number: 1, Note: []byte("b1")}}
	if diff := cmp.Diff(want, nodes); diff != "" {
		t.Errorf("nodes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(room.Window{Epoch: opened.Window.Epoch, First: 1, Last: 3, MaxRecord: opened.MaxRecord}, window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
}

func TestSend(t *testing.T) {
	m := one(t, nil)
	engines := make(map[string]*natsengine.Engine)
	got := make(chan string, 10)
	for _, node := range []string{"a", "b", "c"} {
		e := natsengine.New(natsengine.Options{Servers: []string{m.url()}})
		defer e.Close()
		_, err := e.Open(within(t), room.OpenOptions{Cluster: "test", Node: node}, func(from string, msg []byte) {
			got <- from + " to " + node + ": " + string(msg)
		})
		if err != nil {
			t.Fatal(err)
		}
		engines[node] = e
	}
	receive := func(n int) map[string]bool {
		list := make(map[string]bool)
		for range n {
			select {
			case text := <-got:
				list[text] = true
			case <-within(t).Done():
				t.Fatal("no message")
			}
		}
		return list
	}
	send := func(to, text string) {
		if err := engines["a"].Send(within(t), to, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send("", "all")
	if diff := cmp.Diff(map[string]bool{"a to b: all": true, "a to c: all": true}, receive(2)); diff != "" {
		t.Error(diff)
	}
	send("b", "one")
	send("c", "last") // a second message to b, or one to c, would come before it
	if diff := cmp.Diff(map[string]bool{"a to b: one": true, "a to c: last": true}, receive(2)); diff != "" {
		t.Error(diff)
	}
}
