//go:build !linux

package transport

import "net"

// sendSpace is not available on this system.
type sendSpace struct{}

func newSendSpace(net.Conn) *sendSpace { return nil }

func (*sendSpace) take(int) bool { return false }

func (*sendSpace) forget() {}
