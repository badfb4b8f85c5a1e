package room

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/planrooms/planrooms/auth"
)

// Options configure a [Hub]. [NewHub] copies them. For every number and duration zero means the
// default. NewHub panics if Authorize is nil, for any other negative value than that of PingEvery,
// for a duration above zero and below 1 ms, such as 5 instead of 5 * time.Second, and for an
// Engine without a Cluster.
type Options struct {
	// Authorize reports whether the identity may see the plan. Required.
	//
	// The hub calls it at each join, for each member every ReauthorizeEvery, for the members of a
	// connection after it has renewed its token, and in [Hub.Recheck] and [Hub.RecheckUser].
	// Authorize returns nil for yes, [ErrForbidden] for no and for a plan that does not exist, and
	// [ErrUnauthenticated] if the login has ended. Any other error, and AuthorizeTimeout passing,
	// mean that access could not be checked: a join is refused, and a member is checked again for
	// RemoveAfter and then removed. A panic is logged and closes the connection with
	// [protocol.CloseInternal]; runtime.Goexit closes it, too.
	//
	// planID is what the client sent, and the hub compares plan IDs byte by byte. So Authorize must
	// return ErrForbidden for every other spelling of a plan ID. If the plan is "7", it refuses
	// "007" and "+7", which [strconv.ParseInt] accepts as 7. A database may ignore such differences
	// too: in a numeric column, in a UUID, or with a collation that ignores case. A client that is
	// let in under another spelling is in a separate room, where the events of "7" never arrive: it
	// waits without an error. Compare planID with the ID that the broadcasts use, such as
	// strconv.FormatInt of the number.
	//
	// Authorize runs outside all locks, in several goroutines at once (see AuthorizeParallel). It
	// may call the hub, except for Shutdown, Recheck and RecheckUser.
	Authorize func(ctx context.Context, id auth.Identity, planID string) error

	// AuthorizeTimeout limits one call of Authorize, and one of the Verifier of a connection.
	// Default 5 s.
	AuthorizeTimeout time.Duration
	// AuthorizeParallel is how many calls of Authorize run at once; at most 8 of them are for one
	// user. Further calls wait in three queues, in each of which users take turns: joins, rechecks
	// that the host requests, and all other rechecks. Rechecks use 16 of the calls, and more only
	// when they are late; their two queues take turns. When all clients return after a deploy, a
	// join may therefore take a while, but none is refused. Default 256.
	//
	// A host whose Authorize uses a database chooses what its connection pool can serve. A value
	// below members × duration of a call / RemoveAfter is too small to check each member in time.
	//
	// A call that has not returned after AuthorizeTimeout no longer counts, so that one that
	// ignores its context does not block the others. To limit the goroutines that such calls keep,
	// further calls fail at once while 2 × AuthorizeParallel calls, or 16 for one user, have timed
	// out and not returned.
	AuthorizeParallel int
	// ReauthorizeEvery is the time between two checks of one member, less a random part of up to a
	// tenth. Default 5 min.
	ReauthorizeEvery time.Duration
	// RemoveAfter is how long a member stays if its access cannot be checked. It begins
	// ReauthorizeEvery after Authorize last returned nil. A random part of up to a tenth is
	// subtracted, so that clients that are removed together do not return together. A member whose
	// access has ended therefore stays for at most ReauthorizeEvery plus RemoveAfter, whatever
	// Authorize does. Default 5 min.
	RemoveAfter time.Duration

	// HistoryEvents, HistoryBytes and HistoryAge bound the events that a room keeps for clients
	// that resume. Events beyond HistoryEvents that a member has yet to read are kept too, within
	// HistoryBytes. HistoryBytes counts the memory that events take: the encoded message, 64 bytes,
	// and for an event with exceptions another 128 bytes and the IDs. A room keeps its newest event
	// even if that is larger. Defaults 256 events, 1 MiB, 30 min.
	HistoryEvents int
	HistoryBytes  int
	HistoryAge    time.Duration
	// HistoryTotal bounds the history of all rooms together, in bytes of memory: their events as
	// HistoryBytes counts them, free places in their logs, and 1 KiB per room. Members, presence
	// and what waits for connections (QueuePerConnection) are not part of it. Before a broadcast
	// that exceeds it returns, the least recently used rooms lose their history and, if no user is
	// in them, are deleted; clients that come back to them, or have not read yet, have to reload.
	// Only what cannot be evicted goes beyond it: the event of a broadcast that has not returned,
	// in each room the newest event while it is being written to the members, and the 1 KiB of
	// rooms in use. Default 256 MiB.
	HistoryTotal int

	// QueuePerConnection bounds the bytes of answers and Notify events that wait to be written to
	// one connection. At the bound the hub handles no further message of the connection until the
	// client has read, and drops Notify events; it does not close the connection. The answers to
	// messages that are being handled may exceed the bound, and so may the message removed, which
	// the client does not request. An answer to a join waits unencoded: its list of participants
	// takes memory only while it is being written. So a client that does not read holds the bound,
	// 64 KiB or one message that is being written, and up to 128 of its messages. Default 512 KiB.
	QueuePerConnection int
	// QueuePerUser is the same bound for all connections of one user together. A Notify event
	// counts once, for however many of them it waits. At this bound a connection to which nothing
	// waits is not held up. Default 1 MiB.
	QueuePerUser int

	// MaxPayload is the maximum size of an event's data, in bytes. Broadcast and Notify return an
	// error for larger data. Default 256 KiB.
	MaxPayload int
	// RoomsPerConnection is how many plans one connection can be in. Default 64.
	RoomsPerConnection int
	// ConnectionsPerUser is how many connections one user can have in this hub. Default 20.
	ConnectionsPerUser int
	// PresenceLimit is the number of users above which a room is crowded: the hub then sends the
	// count of users, at most once a second, instead of a notice for each user. A room that has not
	// exceeded the limit for 10 s is not crowded any more; all members then receive a notice for
	// each user. PresenceLimit is also how many users a join answer lists. Default 100.
	PresenceLimit int

	// PingEvery is the time between two pings of a connection. Negative turns pings off; the
	// janitor alone then closes silent connections. Default 25 s.
	PingEvery time.Duration
	// PingTimeout is how long after a ping a connection may stay silent before it is closed (4408).
	// Default 10 s.
	PingTimeout time.Duration
	// WriteTimeout is how long a connection that has bytes to write may take none before it is
	// closed as too slow (4508). Default 10 s.
	WriteTimeout time.Duration
	// FirstMessageTimeout is how long after connecting a client may take to send its first message
	// before the connection is closed (4408). Default 30 s.
	FirstMessageTimeout time.Duration
	// Linger is how long a user whose last connection ended without a leave-plan still counts as
	// present, and how long the presence state of such a connection is shown, so that reloading a
	// page causes no notice. Default 5 s.
	Linger time.Duration

	// JanitorEvery is the time between two rounds of the janitor. Default 5 min.
	JanitorEvery time.Duration
	// IdleTimeout is how long a connection may be silent, and a room empty, before the janitor
	// removes it. Default 30 min.
	IdleTimeout time.Duration

	// Engine is the log that this hub shares with the hubs of other processes: the viewers of a
	// plan then are in one room, whatever process they are connected to. The hub calls Engine.Close
	// in Shutdown. Default: none, this hub is the only one.
	Engine Engine
	// Cluster names the hubs that share a log, 1 to 64 bytes. It is required with an Engine, and
	// has no default: two applications that use one server must not see each other's plans. Without
	// an Engine it has no effect, and neither has Node.
	Cluster string
	// Node names this process for operators, up to 80 bytes. It need not be unique. Default: the
	// host name.
	Node string
	// PublishTimeout is how long a call that appends to the Engine may take: Broadcast, Revoke and
	// such. While an engine elects a new leader, they wait. Default 15 s.
	PublishTimeout time.Duration
	// Clock is for tests. Default: the clock of the machine.
	Clock Clock

	// Observer has functions that the hub calls for metrics and audit. Default: none.
	Observer Observer
	// Logger receives warnings and errors for operators, and failed resumes at level INFO. Joins
	// that could not be checked, rechecks and failed resumes are logged at most once in 10 s for
	// each kind of error, with the number of lines omitted. No token, secret or payload is logged.
	// Default: [slog.DiscardHandler].
	Logger *slog.Logger
}

// withDefaults returns a copy of o with every zero field filled in. It panics for an invalid value.
func (o *Options) withDefaults() Options {
	if o == nil || o.Authorize == nil {
		panic("room: Options.Authorize is required")
	}
	c := *o
	setDefault("AuthorizeTimeout", &c.AuthorizeTimeout, 5*time.Second)
	setDefault("AuthorizeParallel", &c.AuthorizeParallel, 256)
	setDefault("ReauthorizeEvery", &c.ReauthorizeEvery, 5*time.Minute)
	setDefault("RemoveAfter", &c.RemoveAfter, 5*time.Minute)
	setDefault("HistoryEvents", &c.HistoryEvents, 256)
	setDefault("HistoryBytes", &c.HistoryBytes, 1<<20)
	setDefault("HistoryAge", &c.HistoryAge, 30*time.Minute)
	setDefault("HistoryTotal", &c.HistoryTotal, 256<<20)
	setDefault("QueuePerConnection", &c.QueuePerConnection, 512<<10)
	setDefault("QueuePerUser", &c.QueuePerUser, 1<<20)
	setDefault("MaxPayload", &c.MaxPayload, defaultMaxPayload)
	setDefault("RoomsPerConnection", &c.RoomsPerConnection, 64)
	setDefault("ConnectionsPerUser", &c.ConnectionsPerUser, 20)
	setDefault("PresenceLimit", &c.PresenceLimit, 100)
	if c.PingEvery >= 0 { // negative is documented
		setDefault("PingEvery", &c.PingEvery, 25*time.Second)
	}
	setDefault("PingTimeout", &c.PingTimeout, 10*time.Second)
	setDefault("WriteTimeout", &c.WriteTimeout, 10*time.Second)
	setDefault("FirstMessageTimeout", &c.FirstMessageTimeout, 30*time.Second)
	setDefault("Linger", &c.Linger, 5*time.Second)
	setDefault("JanitorEvery", &c.JanitorEvery, 5*time.Minute)
	setDefault("IdleTimeout", &c.IdleTimeout, 30*time.Minute)
	setDefault("PublishTimeout", &c.PublishTimeout, 15*time.Second)
	if c.Engine != nil && (c.Cluster == "" || len(c.Cluster) > maxClusterName) {
		panic("room: Options.Cluster is required with an Engine, and has at most 64 bytes")
	}
	if c.Clock == nil {
		c.Clock = systemClock{time.Now()}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T int | time.Duration](name string, field *T, value T) {
	d, isDuration := any(*field).(time.Duration)
	switch {
	case *field < 0:
		panic("room: Options." + name + " is negative")
	case isDuration && d > 0 && d < time.Millisecond:
		panic(fmt.Sprintf("room: Options.%s is %v, below 1 ms: multiply it by a unit, as in %d * time.Second", name, d, d))
	case *field == 0:
		*field = value
	}
}
