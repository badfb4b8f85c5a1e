package transporttest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// defaultTimeout is the default of Options.Timeout.
const defaultTimeout = 30 * time.Second

// Options configure a connection. Nil and the zero value describe a client that is not a browser
// and sends no token.
type Options struct {
	// Header holds header fields of the request, in addition to the required ones. A field replaces
	// a required field of the same name. A nil slice removes it. Names are sent as written.
	Header http.Header

	// Edit, if not nil, receives the bytes of the request and returns the bytes to send.
	Edit func(request string) string

	// Early is sent after the request, in the same write.
	Early []byte

	// Split, if not nil, splits the request and all later writes into pieces, each of which is a
	// separate write to the socket. See [Bytes] and [Pieces].
	Split func(b []byte) [][]byte

	// TLS is the configuration for https and wss URLs. Nil means the default configuration. [Dial]
	// sets the server name, if there is none, and the protocol http/1.1.
	TLS *tls.Config

	// Timeout limits the lifetime of the connection, including the handshake, so that a server that
	// does not answer cannot block a test. Default: 30 s; negative means no limit. Set later
	// deadlines on [Conn.NetConn].
	Timeout time.Duration
}

// Conn is the client's side of a WebSocket connection. One goroutine may read; any number may
// write.
type Conn struct {
	nc     net.Conn
	below  *belowTLS // nil unless Dial has set up TLS
	split  func(b []byte) [][]byte
	parser parser
	pings  int
	pongs  [][]byte

	mu sync.Mutex // serializes writes, so that pieces of two writes do not mix
}

// Dial opens a connection to a URL with the scheme ws, wss, http or https, and performs the
// handshake. It returns the results and errors of [NewConn].
func Dial(rawURL string, o *Options) (*Conn, *http.Response, error) {
	if o == nil {
		o = &Options{}
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	secure, port := false, "80"
	switch u.Scheme {
	case "ws", "http":
	case "wss", "https":
		secure, port = true, "443"
	default:
		return nil, nil, fmt.Errorf("transporttest: scheme %q of %s", u.Scheme, u.Redacted())
	}
	if u.Port() != "" {
		port = u.Port()
	}
	nc, err := net.DialTimeout("tcp", net.JoinHostPort(u.Hostname(), port), defaultTimeout)
	if err != nil {
		return nil, nil, err
	}
	if secure {
		config := &tls.Config{}
		if o.TLS != nil {
			config = o.TLS.Clone()
		}
		if config.ServerName == "" {
			config.ServerName = u.Hostname()
		}
		config.NextProtos = []string{"http/1.1"}
		below := &belowTLS{Conn: nc}
		c, resp, err := NewConn(tls.Client(below, config), u.RequestURI(), u.Host, o)
		if c != nil {
			c.below = below
		}
		return c, resp, err
	}
	return NewConn(nc, u.RequestURI(), u.Host, o)
}

// belowTLS is the connection below TLS. It records whether that connection has ended. If the stream
// ends without close_notify between two records, package tls returns io.EOF, and ended is true.
// After a close_notify, ended is false.
type belowTLS struct {
	net.Conn
	ended bool // owned by the reader
}

func (b *belowTLS) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// NewConn performs the handshake on nc, with a request for target, such as "/ws?client=tab1", at
// host. It takes ownership of nc.
//
// If there is an error or the status is not 101, NewConn closes nc and returns a nil connection. It
// has read the body of the response, which needs no Close.
func NewConn(nc net.Conn, target, host string, o *Options) (*Conn, *http.Response, error) {
	if o == nil {
		o = &Options{}
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	if timeout > 0 {
		if err := nc.SetDeadline(time.Now().Add(timeout)); err != nil {
			return nil, nil, errors.Join(err, nc.Close())
		}
	}
	request := o.request(target, host)
	c := &Conn{nc: nc, split: o.Split, parser: parser{r: bufio.NewReader(nc)}}
	// A server may refuse a request before it has read all of it. The response then matters more
	// than this error.
	_, writeErr := c.Write(append([]byte(request), o.Early...))
	resp, err := readResponse(c.parser.r, request)
	if err != nil {
		return nil, resp, errors.Join(err, writeErr, nc.Close())
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		_ = nc.Close() // the response is complete
		return nil, resp, nil
	}
	return c, resp, nil
}

// Upgraded returns the client's side of a connection on which the handshake is complete. It reads
// from r, which may have buffered bytes after the response, and takes ownership of nc. It sets no
// deadline.
func Upgraded(nc net.Conn, r *bufio.Reader) *Conn {
	return &Conn{nc: nc, parser: parser{r: r}}
}

// NetConn returns the connection below, for deadlines and socket options.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Close closes the connection without a close frame.
func (c *Conn) Close() error { return c.nc.Close() }

// CloseWrite ends the sending direction: FIN over TCP and Unix sockets, close_notify over TLS. It
// returns an error if the connection does not support this.
func (c *Conn) CloseWrite() error {
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return fmt.Errorf("transporttest: %T has no CloseWrite", c.nc)
}
