package natsengine_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// nats-server accepts the configuration in the README. Only servers with the password can join the
// cluster, and no port is open to other networks.
func TestREADMEConfiguration(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	config := regexp.MustCompile(`(?m)^    server_name: (?:.*\n    )*.*\n`).Find(text)
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NATS_PASSWORD", "secret")
	o, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("%v in\n%s", err, config)
	}
	if o.Username == "" || o.Password != "secret" || !o.JetStream || !o.SyncAlways {
		t.Errorf("user %q, password %q, JetStream %v, sync_interval always %v", o.Username, o.Password, o.JetStream, o.SyncAlways)
	}
	if o.Cluster.Username == "" || o.Cluster.Password == "" {
		t.Error("every server can join the cluster")
	}
	for _, host := range []string{o.Host, o.Cluster.Host} {
		if a, err := netip.ParseAddr(host); err != nil || !a.IsPrivate() {
			t.Errorf("a port listens on %s, want a private address", host)
		}
	}
	if len(o.Routes) != 3 {
		t.Errorf("%d routes, want 3", len(o.Routes))
	}
	for _, r := range o.Routes {
		if password, _ := r.User.Password(); r.User.Username() != o.Cluster.Username || password != o.Cluster.Password {
			t.Errorf("the route %v lacks the user of the cluster", r)
		}
	}
}

// The README installs the nats-server with which the tests run.
func TestREADMEVersion(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`github\.com/nats-io/nats-server/v2 (v\S+)`).FindSubmatch(mod)
	if version == nil || !strings.Contains(string(readme), "go install github.com/nats-io/nats-server/v2@"+string(version[1])+" ") {
		t.Errorf("README.md does not install the version in go.mod, %q", version)
	}
}
