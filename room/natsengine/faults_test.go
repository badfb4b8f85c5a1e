package natsengine_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/minio/highwayhash"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// admin is what an operator has: a connection to the servers.
type admin struct {
	t  *testing.T
	js jetstream.JetStream
}

func newAdmin(t *testing.T, servers ...*machine) *admin {
	t.Helper()
	var urls string
	for _, m := range servers {
		urls += m.url() + ","
	}
	nc, err := nats.Connect(urls[:len(urls)-1], nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return &admin{t, js}
}

// retry repeats f until it succeeds.
func (a *admin) retry(f func(ctx context.Context) error) {
	a.t.Helper()
	limit := within(a.t)
	for {
		ctx, cancel := context.WithTimeout(limit, 2*time.Second)
		err := f(ctx)
		cancel()
		switch {
		case err == nil:
			return
		case limit.Err() != nil:
			a.t.Fatal(err)
		}
		short, cancel := context.WithTimeout(limit, 20*time.Millisecond)
		<-short.Done()
		cancel()
	}
}

// info returns what the leader of a stream says about it.
func (a *admin) info(stream string) (info *jetstream.StreamInfo) {
	a.t.Helper()
	a.retry(func(ctx context.Context) error {
		s, err := a.js.Stream(ctx, stream)
		if err == nil {
			info = s.CachedInfo()
		}
		return err
	})
	return info
}

// change changes the configuration of a stream.
func (a *admin) change(stream string, f func(*jetstream.StreamConfig)) {
	a.t.Helper()
	config := a.info(stream).Config
	f(&config)
	a.retry(func(ctx context.Context) error {
		_, err := a.js.UpdateStream(ctx, config)
		return err
	})
}

// trim makes the stream remove its messages before a seq, by its limits.
func (a *admin) trim(stream string, before uint64) {
	a.t.Helper()
	info := a.info(stream)
	if before > info.State.LastSeq {
		a.change(stream, func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = 100*time.Millisecond, 100*time.Millisecond })
		a.await(stream, func(s jetstream.StreamState) bool { return s.Msgs == 0 })
		a.change(stream, func(c *jetstream.StreamConfig) { c.MaxAge, c.Duplicates = info.Config.MaxAge, info.Config.Duplicates })
		return
	}
	a.change(stream, func(c *jetstream.StreamConfig) { c.MaxMsgs = int64(info.State.LastSeq - before + 1) })
	a.await(stream, func(s jetstream.StreamState) bool { return s.FirstSeq >= before })
	a.change(stream, func(c *jetstream.StreamConfig) { c.MaxMsgs = -1 })
}

// await waits for a state of a stream.
func (a *admin) await(stream string, ok func(jetstream.StreamState) bool) {
	a.t.Helper()
	a.retry(func(ctx context.Context) error {
		s, err := a.js.Stream(ctx, stream)
		if err == nil && !ok(s.CachedInfo().State) {
			err = context.DeadlineExceeded
		}
		return err
	})
}

// delete deletes a message of a stream without replicas, although the stream denies it: as if its
// file were damaged there.
func (a *admin) delete(m *machine, stream string, seq uint64) {
	a.t.Helper()
	deny := func(deny bool) {
		m.stop()
		dir := filepath.Join(m.disk(), "jetstream", "$G", "streams", stream)
		var config map[string]any
		text := read(a.t, filepath.Join(dir, "meta.inf"))
		if err := json.Unmarshal(text, &config); err != nil {
			a.t.Fatal(err)
		}
		config["deny_delete"] = deny
		text, err := json.Marshal(config)
		if err != nil {
			a.t.Fatal(err)
		}
		key := sha256.Sum256([]byte(stream))
		hash, err := highwayhash.NewDigest64(key[:])
		if err != nil {
			a.t.Fatal(err)
		}
		hash.Write(text)
		write(a.t, filepath.Join(dir, "meta.inf"), text)
		write(a.t, filepath.Join(dir, "meta.sum"), []byte(hex.EncodeToString(hash.Sum(nil))))
		m.start()
	}
	deny(false)
	a.retry(func(ctx context.Context) error {
		s, err := a.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		return s.DeleteMsg(ctx, seq)
	})
	deny(true)
	a.info(stream)
}

// loseTail restarts a server without its last n messages of a stream.
func loseTail(t *testing.T, m *machine, stream string, n int) {
	t.Helper()
	m.stop()
	dir := filepath.Join(m.disk(), "jetstream", "$G", "streams", stream, "msgs")
	blocks, err := filepath.Glob(filepath.Join(dir, "*.blk"))
	if err != nil || len(blocks) == 0 {
		t.Fatal("no blocks", err)
	}
	slices.Sort(blocks)
	last := blocks[len(blocks)-1]
	text := read(t, last)
	var begins []int // of the messages
	for i := 0; i < len(text); {
		begins = append(begins, i)
		const hasHeaders = 1 << 31
		i += int(binary.LittleEndian.Uint32(text[i:]) &^ hasHeaders)
	}
	if len(begins) < n {
		t.Fatalf("%d messages in the last block", len(begins))
	}
	write(t, last, text[:begins[len(begins)-n]])
	if err := os.Remove(filepath.Join(dir, "index.db")); err != nil {
		t.Fatal(err)
	}
	m.start()
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func write(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
