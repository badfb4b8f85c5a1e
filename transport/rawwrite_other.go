//go:build !unix

package transport

import (
	"net"
	"time"
)

// rawWriter is not available on this system: a RawConn of Windows cannot wait until a socket is
// writable.
type rawWriter struct{}

func (*rawWriter) attach(net.Conn) bool { return false }

func (*rawWriter) tryWrite([]byte) (int, error) { return 0, nil }

func (*rawWriter) waitWrite(net.Conn, []byte, time.Time) (int, error) { return 0, net.ErrClosed }
