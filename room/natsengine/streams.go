package natsengine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// names are the names of streams and subjects.
type names struct {
	log, notes   string // streams
	record, bell string // subjects
	base         string // the beginning of the subjects
}

var tokens = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// namesOf returns the names for a cluster. Subjects have its name, or a hash of it if a subject
// cannot have it. Streams have only the prefix, so that a second cluster with the same prefix is
// refused.
func namesOf(prefix, cluster string) names {
	token := cluster
	if !tokens.MatchString(token) {
		sum := sha256.Sum256([]byte(cluster))
		token = "cluster-" + hex.EncodeToString(sum[:12])
	}
	stream := strings.ReplaceAll(prefix, ".", "_")
	base := prefix + "." + token + "."
	return names{log: stream + "_log", notes: stream + "_notes", record: base + "log", bell: base + "bell", base: base}
}

func (n *names) note(node string) string { return n.base + "note." + node }
func (n *names) node(node string) string { return n.base + "node." + node }
func (n *names) everyNode() string       { return n.base + "all" }

// state is what the log's leader says about it.
type state struct {
	config jetstream.StreamConfig
	epoch  string
	first  uint64
	last   uint64
}

// single reports whether the log has one replica.
func (s *state) single() bool { return s.config.Replicas <= 1 }

func (s *state) window() room.Window {
	return room.Window{Epoch: s.epoch, First: s.first, Last: s.last}
}

// prepare creates or verifies the streams, and returns the state of the log. before is the session
// of the earlier Open, or nil.
func (c *client) prepare(ctx context.Context, o *Options, n names, cluster string, before *session) (*state, error) {
	if err := c.capable(); err != nil {
		return nil, err
	}
	for _, want := range []jetstream.StreamConfig{o.logConfig(&n, cluster), o.notesConfig(&n, cluster)} {
		if err := c.ensure(ctx, o, want); err != nil {
			return nil, err
		}
	}
	s, err := c.state(ctx, &n)
	if err != nil || before == nil || !before.isLost() || before.epoch != s.epoch {
		return s, err
	}
	// The log lost records, and no other node has said so yet.
	s.config.Metadata = maps.Clone(s.config.Metadata)
	s.config.Metadata[epochKey] = strconv.FormatInt(time.Now().UnixNano(), 36)
	err = c.persist(ctx, request{what: "mark the log as another one", subject: c.api + "STREAM.UPDATE." + n.log}, func(ctx context.Context) error {
		_, err := c.current().js.UpdateStream(ctx, s.config)
		return err
	})
	var denied *deniedError
	if errors.As(err, &denied) {
		o.Logger.Error("natsengine: may not mark the log as another one after a loss; nodes that begin later do not see it", "error", err)
	} else if err != nil {
		return nil, err
	}
	return c.state(ctx, &n)
}

// errMaxPayload is the reason why another connection may do better: a server does not say on one
// that its limit was raised.
var errMaxPayload = errors.New("max_payload of the server")

// capable verifies the version and the limits of the server.
func (c *client) capable() error {
	var major, minor int
	version := c.current().nc.ConnectedServerVersion()
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err == nil && (major < 2 || major == 2 && minor < 11) {
		return fmt.Errorf("natsengine: the server has version %s; 2.11 is the oldest that answers batches of direct gets", version)
	}
	if limit := c.current().nc.MaxPayload(); limit < room.MaxMessage+overhead {
		return fmt.Errorf("natsengine: %w is %d bytes; it must be at least %d", errMaxPayload, limit, room.MaxMessage+overhead)
	}
	return nil
}

// overhead is what headers of a record or message take at most.
const overhead = 1 << 10

// largest returns the size of the largest record.
func (c *client) largest(config jetstream.StreamConfig) int {
	limit := c.current().nc.MaxPayload()
	if config.MaxMsgSize > 0 {
		limit = min(limit, int64(config.MaxMsgSize))
	}
	return int(max(limit-overhead, 0))
}

// ensure creates a stream, or verifies it if there is one.
func (c *client) ensure(ctx context.Context, o *Options, want jetstream.StreamConfig) error {
	got, err := c.config(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if o.Existing {
			return fmt.Errorf("natsengine: there is no stream %s, and Options.Existing says that an operator creates it: %w", want.Name, err)
		}
		err = c.persist(ctx, request{what: "create the stream " + want.Name, subject: c.api + "STREAM.CREATE." + want.Name}, func(ctx context.Context) error {
			_, err := c.current().js.CreateStream(ctx, want)
			return err
		})
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		// Another node may have created it with other settings.
		got, err = c.config(ctx, want.Name)
	}
	if err != nil {
		return err
	}
	if is, wanted := got.Metadata[clusterKey], want.Metadata[clusterKey]; is != wanted && (is != "" || !o.Update) {
		return fmt.Errorf("natsengine: the stream %s is of the cluster %q, not of %q: give each cluster its own Options.Prefix (metadata %s)",
			want.Name, is, wanted, clusterKey)
	}
	wrong := misfits(got, &want, o.Existing)
	if got.Metadata[clusterKey] == "" {
		wrong = append(wrong, "metadata has no "+clusterKey)
	}
	if len(wrong) == 0 {
		return nil
	}
	if !o.Update {
		return fmt.Errorf("natsengine: settings of the stream %s do not fit: %s; change the stream or the options, or set Options.Update",
			want.Name, strings.Join(wrong, "; "))
	}
	o.Logger.Warn("natsengine: changes the settings of a stream", "stream", want.Name, "settings", strings.Join(wrong, "; "))
	next := changed(got, &want)
	r := request{what: "change the settings of the stream " + want.Name, subject: c.api + "STREAM.UPDATE." + want.Name}
	err = c.persist(ctx, r, func(ctx context.Context) error {
		_, err := c.current().js.UpdateStream(ctx, next)
		return err
	})
	if err != nil {
		return err
	}
	if got, err = c.config(ctx, want.Name); err != nil {
		return err
	}
	if wrong := misfits(got, &want, o.Existing); len(wrong) > 0 {
		return fmt.Errorf("natsengine: Options.Update does not change some settings of the stream %s: %s; change them, or remove the stream",
			want.Name, strings.Join(wrong, "; "))
	}
	return nil
}

func (c *client) config(ctx context.Context, stream string) (config *jetstream.StreamConfig, err error) {
	err = c.persist(ctx, c.look(stream), func(ctx context.Context) error {
		s, err := c.current().js.Stream(ctx, stream)
		if err == nil {
			config = &s.CachedInfo().Config
		}
		return err
	})
	return config, err
}

// look is the request for the configuration and the state of a stream.
func (c *client) look(stream string) request {
	return request{what: "look at the stream " + stream, subject: c.api + "STREAM.INFO." + stream}
}

// state asks the leader of the log for its state.
func (c *client) state(ctx context.Context, n *names) (*state, error) {
	var s *state
	err := c.persist(ctx, c.look(n.log), func(ctx context.Context) (err error) {
		s, err = c.stateOnce(ctx, n)
		return err
	})
	return s, err
}

func (c *client) stateOnce(ctx context.Context, n *names) (*state, error) {
	stream, err := c.current().js.Stream(ctx, n.log)
	if err != nil {
		return nil, err
	}
	info := stream.CachedInfo()
	if info.State.NumDeleted > 0 { // a damaged file
		if info, err = stream.Info(ctx, jetstream.WithDeletedDetails(true)); err != nil {
			return nil, err
		}
	}
	s := &state{config: info.Config, first: max(info.State.FirstSeq, 1), last: info.State.LastSeq}
	s.epoch = strconv.FormatInt(info.Created.UnixNano(), 36)
	if text := info.Config.Metadata[epochKey]; text != "" {
		s.epoch += "." + text
	}
	if len(info.State.Deleted) > 0 {
		s.first = max(s.first, slices.Max(info.State.Deleted)+1)
	}
	if info.State.Msgs == 0 {
		s.first = s.last + 1
	}
	return s, nil
}

// leaderRecord asks the leader of the log for a record. It returns nats.ErrMsgNotFound if there is
// none.
func (c *client) leaderRecord(ctx context.Context, n *names, seq uint64) (data []byte, err error) {
	r := request{what: "read a record of the stream " + n.log, subject: c.api + "STREAM.MSG.GET." + n.log}
	err = c.persist(ctx, r, func(ctx context.Context) error {
		m, err := c.current().legacy.GetMsg(n.log, seq, nats.Context(ctx))
		if err == nil {
			data = m.Data
		}
		return err
	})
	return data, err
}
