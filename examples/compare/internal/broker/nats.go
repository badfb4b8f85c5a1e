package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/planrooms/planrooms/examples/compare/internal/process"
)

// roleNATS is the first argument of this program when it runs as a NATS server. The second one has
// the settings as JSON.
const roleNATS = "nats-server"

// settings are those of one NATS server.
type settings struct {
	Name        string `json:"name"`
	Dir         string `json:"dir"`
	Port        int    `json:"port"`
	ClusterPort int    `json:"clusterPort"` // 0 without a cluster
	Peers       []int  `json:"peers"`       // cluster ports of all servers
	Sync        bool   `json:"sync"`        // the files before each answer
}

func (b *Broker) startNATS(cpus []int, servers int, sync bool) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	ports, err := freePorts(2 * servers)
	if err != nil {
		return err
	}
	for i := range servers {
		s := settings{Name: fmt.Sprintf("s%d", i+1), Port: ports[i], Sync: sync}
		s.Dir = filepath.Join(b.dir, s.Name)
		if servers > 1 {
			s.ClusterPort, s.Peers = ports[servers+i], ports[servers:]
		}
		text, err := json.Marshal(s)
		if err != nil {
			return fmt.Errorf("broker: %w", err)
		}
		p, err := process.Start(cpus, self, roleNATS, string(text))
		if err != nil {
			return err
		}
		b.processes = append(b.processes, p)
		b.Addresses = append(b.Addresses, fmt.Sprintf("127.0.0.1:%d", s.Port))
	}
	for _, p := range b.processes {
		if err := expect(p, ready); err != nil {
			return err
		}
	}
	return nil
}

const ready = "ready" // a server prints it when it accepts connections

// Child runs this process as a NATS server, if args say so, until its standard input ends. It
// returns false if they do not.
func Child(args []string, stdin io.Reader, stdout io.Writer) (bool, error) {
	if len(args) != 2 || args[0] != roleNATS {
		return false, nil
	}
	return true, serve(args[1], stdin, stdout)
}

func serve(text string, stdin io.Reader, stdout io.Writer) error {
	var c settings
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	o := &server.Options{
		ServerName: c.Name, Host: "127.0.0.1", Port: c.Port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: c.Dir, SyncAlways: c.Sync,
	}
	if c.ClusterPort != 0 {
		o.Cluster = server.ClusterOpts{Name: "compare", Host: "127.0.0.1", Port: c.ClusterPort, NoAdvertise: true}
		for _, port := range c.Peers {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		}
	}
	s, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	s.Start()
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if !s.ReadyForConnections(30 * time.Second) {
		return errors.New("broker: the NATS server does not accept connections")
	}
	if _, err := fmt.Fprintln(stdout, ready); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	_, err = io.Copy(io.Discard, stdin)
	return err
}
