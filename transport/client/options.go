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
	// Token says whom the client speaks for. Default none: the request carries only what Header holds.
	Token TokenFunc

	// ClientID names this client among those of its user: 1 to 64 of [A-Za-z0-9_-]. A second client with the same id takes the place of
	// the first. Send it as X-Plan-Client with the program's own changes to get a receipt in place of their events. Default random.
	ClientID string

	// Header is sent with every handshake.
	Header http.Header

	// HTTPClient makes the handshake. Redirects are not followed: they would carry the token to another place. Default [http.DefaultClient].
	HTTPClient *http.Client

	// BackoffMin and BackoffMax bound the wait before coming back. It is random between nothing and a ceiling that begins
	// with BackoffMin and doubles up to BackoffMax. What a server asks for comes first. Defaults 500 ms, 30 s.
	BackoffMin, BackoffMax time.Duration

	// QueueEvents and QueueBytes bound what waits in one plan for the program to take it. Defaults 1,024 items, 4 MiB.
	QueueEvents, QueueBytes int

	// MaxMessageBytes is the longest message that is taken from the server. A longer one is not read to its end: the connection is
	// given up, and all plans begin anew with a [Reload]. Default 1 MiB, which is ample for a server of defaults.
	MaxMessageBytes int

	// OnState is told each change of state; err says why it is StateWaiting or StateClosed. It is called in the goroutine that keeps the
	// connection, one call at a time: it must return soon, and must neither call Close nor wait in Join. Default none.
	OnState func(s State, err error)

	// Logger gets what a person should look at, and at debug level why connections end. No token is ever logged. Default [slog.DiscardHandler].
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

// withDefaults returns a copy of o with every zero field filled in. It panics on what can only be a mistake.
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
