package node

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/centrifugal/centrifuge"
)

// channels is a node with centrifuge: with its broker in memory, or with that for Redis. Each plan
// is a channel whose history has the size and the age that ours has by default, and whose
// subscriptions can be recovered from it. Its viewers are transports in this process.
type channels struct {
	node    *centrifuge.Node
	seats   []func() error // each disconnects a viewer
	plan    string         // that the next client subscribes to
	clients int
}

// The defaults of room.Options.
const (
	historyEvents = 256
	historyAge    = 30 * time.Minute
)

func newChannels(c Config) (*channels, error) {
	n, err := centrifuge.New(centrifuge.Config{
		Name: fmt.Sprintf("node-%d", c.Number), LogLevel: centrifuge.LogLevelError, LogHandler: logError,
	})
	if err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	if c.Broker != "" {
		shard, err := centrifuge.NewRedisShard(n, centrifuge.RedisShardConfig{Address: c.Broker})
		if err != nil {
			return nil, fmt.Errorf("node: %w", err)
		}
		b, err := centrifuge.NewRedisBroker(n, centrifuge.RedisBrokerConfig{Shards: []*centrifuge.RedisShard{shard}})
		if err != nil {
			return nil, fmt.Errorf("node: %w", err)
		}
		n.SetBroker(b)
	}
	s := &channels{node: n}
	n.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		s.clients++
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: fmt.Sprintf("viewer-%d-%d", c.Number, s.clients)},
			Subscriptions: map[string]centrifuge.SubscribeOptions{s.plan: {EnableRecovery: true}},
		}, nil
	})
	n.OnConnect(func(*centrifuge.Client) {})
	if err := n.Run(); err != nil {
		return nil, fmt.Errorf("node: %w", err)
	}
	return s, nil
}

// logError writes to the standard error, whose end the parent process keeps.
func logError(e centrifuge.LogEntry) { fmt.Fprintln(os.Stderr, e.Message, e.Fields) }

func (s *channels) publish(plan string, task []byte) (uint64, error) {
	_, err := s.node.Publish(plan, task, centrifuge.WithHistory(historyEvents, historyAge))
	return 0, err
}

// applied is true: a node has no log to apply.
func (s *channels) applied(uint64) bool { return true }

func (s *channels) view(plans []string, viewers []*viewer) error {
	for _, end := range s.seats {
		if err := end(); err != nil {
			return fmt.Errorf("node: %w", err)
		}
	}
	s.seats = nil
	for i, plan := range plans {
		s.plan = plan
		client, end, err := centrifuge.NewClient(context.Background(), s.node, &transport{viewer: viewers[i]})
		if err != nil {
			return fmt.Errorf("node: connect: %w", err)
		}
		s.seats = append(s.seats, end)
		// Returns when the node is subscribed to the channel.
		if err := client.ConnectNoErrorToDisconnect(centrifuge.ConnectRequest{}); err != nil {
			return fmt.Errorf("node: connect: %w", err)
		}
	}
	return nil
}

// present waits for nothing: the channels have no presence, so nobody learns of other viewers.
func (s *channels) present([]string, int) error { return nil }

// transport is the connection of a viewer. It takes everything at once, and that has then arrived.
type transport struct {
	viewer *viewer
	closed atomic.Bool
}

var _ centrifuge.Transport = (*transport)(nil)

func (t *transport) Name() string                                { return "memory" }
func (t *transport) AcceptProtocol() string                      { return "" }
func (t *transport) Protocol() centrifuge.ProtocolType           { return centrifuge.ProtocolTypeJSON }
func (t *transport) ProtocolVersion() centrifuge.ProtocolVersion { return centrifuge.ProtocolVersion2 }
func (t *transport) Unidirectional() bool                        { return true }
func (t *transport) Emulation() bool                             { return false }
func (t *transport) DisabledPushFlags() uint64                   { return 0 }
func (t *transport) PingPongConfig() centrifuge.PingPongConfig {
	return centrifuge.PingPongConfig{PingInterval: -1, PongTimeout: -1}
}

func (t *transport) Write(message []byte) error {
	t.viewer.receive(message)
	return nil
}

func (t *transport) WriteMany(messages ...[]byte) error {
	for _, m := range messages {
		t.viewer.receive(m)
	}
	return nil
}

func (t *transport) Close(centrifuge.Disconnect) error {
	if !t.closed.Swap(true) {
		t.viewer.interrupt()
	}
	return nil
}
