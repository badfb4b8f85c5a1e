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

// defaultTimeout is Options.Timeout where none is given.
const defaultTimeout = 30 * time.Second

// Options describe how a connection is opened. Nil and the zero value are a client that is not a
// browser, with nothing to say about itself.
type Options struct {
	// Header has header fields of the request beside the required ones. A field that is required
	// is replaced; one with a nil slice is left out. Names are sent as they are written.
	Header http.Header

	// Edit, if not nil, gets the bytes of the request and returns those to send.
	Edit func(request string) string

	// Early is sent in one write with the request, behind it.
	Early []byte

	// Split, if not nil, cuts what is written into the pieces that go to the socket one by one.
	// It is used for the request and for everything after it. See [Bytes] and [Pieces].
	Split func(b []byte) [][]byte

	// TLS is the configuration for https and wss URLs. Nil means the default configuration. [Dial]
	// adds the name of the server, if none is set, and the protocol http/1.1.
	TLS *tls.Config

	// Timeout is how long the connection may last, from its handshake on: a server that does not
	// answer must not block a test. Default 30 s; negative means no limit. Later deadlines can
	// be set on [Conn.NetConn].
	Timeout time.Duration
}

// Conn is a WebSocket connection of a client. One goroutine may read; any number may write.
type Conn struct {
	nc     net.Conn
	below  *belowTLS // nil unless Dial has added TLS
	split  func(b []byte) [][]byte
	parser parser
	pings  int
	pongs  [][]byte

	mu sync.Mutex // serializes writes; the pieces of one are not mixed with another's
}

// Dial opens a connection to a URL with the scheme ws, wss, http or https, and does the handshake.
// Errors and results are those of [NewConn].
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

// belowTLS is the connection below TLS. Package tls reports io.EOF if the stream ends without
// close_notify between two records; then it has seen the end of the connection below, and
// otherwise it has not.
type belowTLS struct {
	net.Conn
	ended bool // owned by the reader
}

func (b *belowTLS) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	b.ended = b.ended || err == io.EOF
	return n, err
}

// NewConn does the handshake on a connection that the caller has opened, with a request for target,
// such as "/ws?client=tab1", at host. It owns nc from then on.
//
// The connection is nil, and nc closed, if there was an error or if the status is not 101. The body
// of the answer has been read, so it needs no Close.
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
	// A server may refuse a request before it has read all of it: its answer counts, and not this
	// error.
	_, writeErr := c.Write(append([]byte(request), o.Early...))
	resp, err := readResponse(c.parser.r, request)
	if err != nil {
		return nil, resp, errors.Join(err, writeErr, nc.Close())
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		_ = nc.Close() // the answer is complete
		return nil, resp, nil
	}
	return c, resp, nil
}

// NetConn returns the connection below, for deadlines and socket options.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Close closes the connection without a close frame.
func (c *Conn) Close() error { return c.nc.Close() }

// CloseWrite ends the sending direction: FIN over TCP and Unix sockets, close_notify over TLS. It
// is an error where the connection has no such thing.
func (c *Conn) CloseWrite() error {
	if w, ok := c.nc.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return fmt.Errorf("transporttest: %T has no CloseWrite", c.nc)
}
