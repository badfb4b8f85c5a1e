package client

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// Options configure a [Client]. [Dial] copies them; nil options and zero fields mean the defaults.
type Options struct {
	// Token returns the token of the user. Default: no token; the request has only Header.
	Token TokenFunc

	// ClientID identifies this client among those of the user: 1 to 64 characters of [A-Za-z0-9_-].
	// A second client with the same ID replaces the first. The program sends the ID as
	// X-Plan-Client with its own changes, and receives receipts instead of their events. Default:
	// random.
	ClientID string

	// Header is sent with each handshake.
	Header http.Header

	// HTTPClient makes the handshakes. The client does not follow redirects, which would send the
	// token to another server. Default: [http.DefaultClient].
	HTTPClient *http.Client

	// BackoffMin and BackoffMax bound the wait before a reconnect. It is random, from 0 to a
	// ceiling that starts at BackoffMin and doubles up to BackoffMax. If the server asks for a
	// wait, that is used instead. Defaults: 500 ms, 30 s.
	BackoffMin, BackoffMax time.Duration

	// QueueEvents and QueueBytes bound the queue of one plan, in items and bytes. Defaults: 1,024,
	// 4 MiB.
	QueueEvents, QueueBytes int

	// MaxMessageBytes bounds a message from the server, in bytes. After a longer one the client
	// reconnects, and the stream of each plan continues with a [Reload]. Default: 1 MiB, which is
	// more than a server with default options sends.
	MaxMessageBytes int

	// OnState is called at each change of state. err is the reason for StateWaiting and
	// StateClosed. Calls do not overlap, and the connection waits for them: OnState must return
	// soon, and must not call Close, Renew or Join. The first call can be made before Dial or Open
	// has returned. Default: none.
	OnState func(s State, err error)

	// Logger receives warnings, and at level debug the reason why each connection ended. The client
	// logs no tokens. Default: [slog.DiscardHandler].
	Logger *slog.Logger
}

const (
	defaultBackoffMin      = 500 * time.Millisecond
	defaultBackoffMax      = 30 * time.Second
	defaultQueueEvents     = 1024
	defaultQueueBytes      = 4 << 20
	defaultMaxMessageBytes = 1 << 20
	maxNotices             = 256
)

// withDefaults returns a copy of o with the defaults for zero fields. It panics if a number is
// negative.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	c.Header = c.Header.Clone()
	setDefault("BackoffMin", &c.BackoffMin, defaultBackoffMin)
	setDefault("BackoffMax", &c.BackoffMax, defaultBackoffMax)
	setDefault("QueueEvents", &c.QueueEvents, defaultQueueEvents)
	setDefault("QueueBytes", &c.QueueBytes, defaultQueueBytes)
	setDefault("MaxMessageBytes", &c.MaxMessageBytes, defaultMaxMessageBytes)
	if c.Header == nil {
		c.Header = make(http.Header)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = http.DefaultClient
	}
	if c.OnState == nil {
		c.OnState = func(State, error) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.ClientID == "" {
		c.ClientID = rand.Text()
	}
	if !protocol.ValidClientID(c.ClientID) {
		return c, errors.New("client: Options.ClientID is not 1 to 64 of [A-Za-z0-9_-]")
	}
	return c, nil
}

func setDefault[T int | time.Duration](name string, field *T, value T) {
	switch {
	case *field < 0:
		panic("client: Options." + name + " is negative")
	case *field == 0:
		*field = value
	}
}
