package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsServer is one of the NATS servers that the demonstration starts.
type natsServer struct {
	name    string
	addr    string
	dir     string // for its data
	process *child
	args    []string
}

// startServers starts the three servers of a cluster, and waits until they accept connections. A
// port that was free may be taken before its server listens, so it tries several times.
func startServers(ctx context.Context, dir string) ([]*natsServer, error) {
	return startServersOn(ctx, dir, freePorts)
}

func startServersOn(ctx context.Context, dir string, pick func(int) ([]int, error)) ([]*natsServer, error) {
	var failed error
	for range 3 {
		ports, err := pick(2 * serverNumber)
		if err != nil {
			return nil, err
		}
		list := newServers(dir, ports)
		if failed = eachServer(list, func(s *natsServer) error { return s.start(ctx) }); failed == nil {
			return list, nil
		}
		for _, s := range list {
			s.process.close()
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, failed
}

// serverNumber is how many servers are started.
const serverNumber = 3

// newServers returns the servers of a cluster, which are not started yet. Each has two ports.
func newServers(dir string, ports []int) (list []*natsServer) {
	var peers []string
	for _, port := range ports[serverNumber:] {
		peers = append(peers, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	for i := range serverNumber {
		name := fmt.Sprintf("s%d", i+1)
		list = append(list, &natsServer{
			name: name, addr: fmt.Sprintf("127.0.0.1:%d", ports[i]), dir: filepath.Join(dir, name),
			process: &child{name: name, log: filepath.Join(dir, name+".log")},
			args: []string{
				serverCommandName, "-name", name, "-dir", filepath.Join(dir, name), "-port", fmt.Sprint(ports[i]),
				"-cluster-port", fmt.Sprint(ports[serverNumber+i]), "-peers", strings.Join(peers, ","),
			},
		})
	}
	return list
}

// freePorts returns ports that no process listens on. Each server has to know the ports of the
// others before they start, and keeps its own when it starts again.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (s *natsServer) start(ctx context.Context) error {
	_, err := s.process.start(ctx, s.args, func() {})
	return err
}

// stream watches the stream that has the log of the cluster.
type stream struct {
	servers []string // URLs

	mu    sync.Mutex // guards the following
	state streamState
}

// streamState is what NATS says of the stream.
type streamState struct {
	Leader  string `json:"leader"` // the server that orders the records, or "" while there is none
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Problem string `json:"problem"` // why NATS did not answer, or ""

	current int       // servers that have the whole log
	at      time.Time // when NATS was asked
}

// watch asks NATS once a second until ctx ends.
func (s *stream) watch(ctx context.Context) {
	var nc *nats.Conn
	defer func() {
		if nc != nil {
			nc.Close()
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if nc == nil {
			var err error
			nc, err = nats.Connect(strings.Join(s.servers, ","), nats.MaxReconnects(-1), nats.ReconnectWait(250*time.Millisecond))
			if err != nil {
				s.set(streamState{}, err)
				continue
			}
		}
		s.set(s.ask(ctx, nc))
	}
}

func (s *stream) ask(ctx context.Context, nc *nats.Conn) (state streamState, err error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return state, err
	}
	ctx, cancel := context.WithTimeout(ctx, 900*time.Millisecond)
	defer cancel()
	log, err := js.Stream(ctx, logStream)
	if err != nil {
		return state, err
	}
	info := log.CachedInfo() // of the call before
	state = streamState{current: 1, at: time.Now(), First: info.State.FirstSeq, Last: info.State.LastSeq, Leader: nc.ConnectedServerName()}
	if info.Cluster != nil {
		state.Leader = info.Cluster.Leader
		for _, replica := range info.Cluster.Replicas {
			if replica.Current {
				state.current++
			}
		}
	}
	return state, nil
}

// logStream is the name that natsengine gives the stream with the default prefix.
const logStream = "planrooms_log"

// set keeps what was seen last of the log while NATS does not answer.
func (s *stream) set(state streamState, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.state.Leader, s.state.Problem = "", err.Error()
		return
	}
	s.state = state
}

func (s *stream) now() streamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// eachServer calls f for all servers at the same time.
func eachServer(list []*natsServer, f func(*natsServer) error) error {
	var calls sync.WaitGroup
	errs := make([]error, len(list))
	for i, s := range list {
		calls.Go(func() { errs[i] = f(s) })
	}
	calls.Wait()
	return errors.Join(errs...)
}

// storedSince reports whether NATS has said, after a moment, that so many servers have the log.
func (c *cluster) storedSince(at time.Time, servers int) bool {
	s := c.stream.now()
	return s.Leader != "" && s.current >= servers && s.at.After(at)
}

// serverURLs returns the URLs of the servers that were started.
func serverURLs(list []*natsServer) (urls natsURLs) {
	for _, s := range list {
		urls = append(urls, &url.URL{Scheme: "nats", Host: s.addr})
	}
	return urls
}
