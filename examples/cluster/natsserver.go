package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const serverCommandName = "nats-server"

// serverCommand runs one NATS server with JetStream in this process. It prints "ready" when the
// server accepts connections.
func serverCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var name, dir string
	var port, clusterPort int
	var peers natsURLs
	f := newFlags("cluster "+serverCommandName, stderr)
	f.StringVar(&name, "name", "", "`name` of the server")
	f.StringVar(&dir, "dir", "", "`folder` for its data")
	f.IntVar(&port, "port", 0, "`port` for clients")
	f.IntVar(&clusterPort, "cluster-port", 0, "`port` for the other servers")
	flagURLs(f, &peers, "peers", "`URLs` of all servers, with the ports for servers")
	if err := parse(f, args); err != nil {
		return err
	}
	o := &server.Options{
		ServerName: name, Host: "127.0.0.1", Port: port, NoSigs: true,
		JetStream: true, StoreDir: dir, JetStreamMaxMemory: 256 << 20, JetStreamMaxStore: 2 << 30,
		Cluster: server.ClusterOpts{Name: "cluster", Host: "127.0.0.1", Port: clusterPort, NoAdvertise: true},
		Routes:  []*url.URL(peers),
	}
	s, err := server.NewServer(o)
	if err != nil {
		return err
	}
	s.ConfigureLogger() // stderr
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(30 * time.Second) {
		return fmt.Errorf("the NATS server %s does not accept connections on port %d", name, port)
	}
	if _, err := fmt.Fprintln(stdout, "ready"); err != nil {
		return err
	}
	<-untilParentEnds(ctx).Done()
	return nil
}
