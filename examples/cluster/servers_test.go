package main

import (
	"net"
	"testing"
)

// Servers that find a port taken are started on others.
func TestTakenPort(t *testing.T) {
	t.Setenv(childEnv, "1")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	picks := 0
	list, err := startServersOn(t.Context(), t.TempDir(), func(n int) ([]int, error) {
		ports, err := freePorts(n)
		if picks++; picks < 3 && err == nil {
			at := []int{0, serverNumber}[picks-1] // the port for clients, then the one for servers
			ports[at] = taken.Addr().(*net.TCPAddr).Port
		}
		return ports, err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		s.process.close()
	}
	if picks != 3 {
		t.Errorf("the servers have started with the ports of choice %d, want 3", picks)
	}
}
