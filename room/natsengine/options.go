package natsengine

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/planrooms/planrooms/room"
)

// Options configure [New]. The zero value is an engine for a server on this machine without
// credentials.
type Options struct {
	// Servers are the URLs of the NATS servers: nats://, tls://, ws:// or wss://. The client learns
	// the other servers of a cluster from the first it reaches. Default: nats://127.0.0.1:4222.
	Servers []string

	// At most one of CredentialsFile, NKeyFile, User and Token. A credentials file holds a JWT and
	// the seed of an nkey; an nkey file holds a seed. Either may be replaced while the engine runs:
	// it is read again at the latest when the server has refused the old one twice.
	CredentialsFile string
	NKeyFile        string
	User, Password  string
	Token           string

	// TLS is the configuration of connections with TLS. Default: that of crypto/tls, if the URL or
	// the server asks for TLS.
	TLS *tls.Config

	// NATS are further options of the connection, applied after Servers and the credentials. The
	// engine then sets TLSConfig, if TLS is not nil, and always AllowReconnect, MaxReconnect,
	// ReconnectWait, RetryOnFailedConnect, ReconnectBufSize, PingInterval, MaxPingsOut,
	// FlusherTimeout, NoCallbacksAfterClientClose and SkipHostLookup. Handlers are called besides
	// those of the engine. If a server ends a connection for good, the engine makes another one
	// with the same options. Dialer and Timeout limit how long it takes to connect; a CustomDialer
	// has to limit it itself.
	NATS []nats.Option

	// Domain is the JetStream domain. Default: that of the servers.
	Domain string

	// Prefix begins the names of subjects and streams: up to 64 of A-Z, a-z, 0-9, _ and -, in parts
	// separated by dots. Two clusters on the same servers and account need different ones. Default
	// "planrooms".
	Prefix string

	// Replicas is the number of servers that store the streams: 1, 3 or 5. Default 1.
	Replicas int

	// Storage is where they store them. Default: jetstream.FileStorage.
	Storage jetstream.StorageType

	// MaxAge is how long the log keeps a record. It must be at least Options.HistoryAge of the
	// hubs, and is at least 2 min. Default 1 h.
	MaxAge time.Duration

	// MaxBytes is the maximum size of the log, with about 150 bytes for each record besides its
	// data. The stream removes the oldest records. If a record that a node has not read yet is
	// gone, all clients of this node load their plans. Default 256 MiB.
	MaxBytes int64

	// Existing means that an operator creates and changes the streams: Open verifies only what the
	// engine cannot do without, and those of Replicas, MaxAge and MaxBytes that are not zero.
	Existing bool

	// Update allows Open to change the settings of streams that do not fit. Otherwise it fails and
	// names each setting, what it is, and what it should be. Not with Existing.
	Update bool

	// Logger receives warnings and errors for operators: lost connections, refused permissions,
	// lost records. No secret and no record is logged. Default: [slog.DiscardHandler].
	Logger *slog.Logger
}

var prefixes = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// withDefaults returns the options to use, and what is wrong with them.
func (o Options) withDefaults() (Options, error) {
	if len(o.Servers) == 0 {
		o.Servers = []string{nats.DefaultURL}
	}
	if o.Prefix == "" {
		o.Prefix = "planrooms"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if !o.Existing {
		if o.Replicas == 0 {
			o.Replicas = 1
		}
		if o.MaxAge == 0 {
			o.MaxAge = time.Hour
		}
		if o.MaxBytes == 0 {
			o.MaxBytes = 256 << 20
		}
	}
	return o, o.check()
}

func (o *Options) check() error {
	for i, s := range o.Servers {
		u, err := url.Parse(s)
		if err != nil || u.Host == "" { // the error would repeat a password in the URL
			return fmt.Errorf("natsengine: number %d of Options.Servers is not a URL such as nats://host:4222", i+1)
		}
	}
	given := 0
	for _, set := range []bool{o.CredentialsFile != "", o.NKeyFile != "", o.User != "" || o.Password != "", o.Token != ""} {
		if set {
			given++
		}
	}
	switch {
	case given > 1:
		return errors.New("natsengine: Options has more than one of CredentialsFile, NKeyFile, User and Token")
	case !prefixes.MatchString(o.Prefix) || len(o.Prefix) > 64:
		return errors.New("natsengine: Options.Prefix must have up to 64 of A-Z, a-z, 0-9, _, - and dots between")
	case o.MaxAge != 0 && o.MaxAge < room.DedupWindow:
		return fmt.Errorf("natsengine: Options.MaxAge must be at least %v", room.DedupWindow)
	case o.MaxBytes < 0 || o.MaxBytes != 0 && o.MaxBytes < 1<<20:
		return errors.New("natsengine: Options.MaxBytes must be at least 1 MiB")
	case !slices.Contains([]int{0, 1, 3, 5}, o.Replicas):
		return errors.New("natsengine: Options.Replicas must be 1, 3 or 5")
	case o.Existing && o.Update:
		return errors.New("natsengine: Options has both Existing and Update")
	}
	return nil
}
