package source

import (
	"strconv"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/room"
)

// Metric is a gauge or a counter. Its labels have a fixed set of values, so the number of series
// does not depend on plans, users or clients.
type Metric struct {
	Prometheus string // name
	OTel       string // name
	Unit       string // of OpenTelemetry (UCUM); "{event}" and the like are annotations
	Help       string // a sentence without the full stop
	Counter    bool   // it never decreases; otherwise a gauge
	Label      string // of Prometheus; "" if there is one value
	Attribute  string // of OpenTelemetry; "" if there is one value

	observed bool // from the Observer, so that it has a value without a hub
	read     func(n *numbers, emit func(label string, value int64))
}

// numbers are what the metrics are read from.
type numbers struct {
	watching bool
	stats    room.Stats
	ready    bool
	totals   *totals

	cluster   room.ClusterInfo
	clustered bool // the hub has an engine; otherwise cluster is zero
}

// Lag names the histogram of the delivery lag, in seconds. The table has the other metrics.
var Lag = Metric{
	Prometheus: "planrooms_delivery_lag_seconds", OTel: "planrooms.delivery.lag", Unit: "s",
	Help: "Time from the first event of a pass being published until the pass has offered it to its last connection",
}

// Bounds are the upper bounds of the buckets of Lag, in seconds: 0.1 ms to 10 s.
var Bounds = []float64{
	0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
}

// Metrics are all metrics except Lag.
var Metrics = []Metric{
	gauge("planrooms_connections", "planrooms.connection.open", "{connection}", "Open connections",
		func(s *room.Stats) int { return s.Connections }),
	gauge("planrooms_closing_connections", "planrooms.connection.closing", "{connection}",
		"Connections that are being closed and to which something may still be written",
		func(s *room.Stats) int { return s.Closing }),
	gauge("planrooms_users", "planrooms.user.connected", "{user}", "Users with an open connection",
		func(s *room.Stats) int { return s.Users }),
	gauge("planrooms_rooms", "planrooms.room.held", "{room}", "Rooms that the hub holds, including empty ones",
		func(s *room.Stats) int { return s.Rooms }),
	gauge("planrooms_participants", "planrooms.room.participants", "{participant}",
		"Users in rooms; a user in two rooms counts twice",
		func(s *room.Stats) int { return s.Participants }),
	gauge("planrooms_history_bytes", "planrooms.history.size", "By", "Size of the histories of all rooms",
		func(s *room.Stats) int { return s.HistoryBytes }),
	gauge("planrooms_shutting_down", "planrooms.hub.shutting_down", "1", "1 after Shutdown was called, else 0",
		func(s *room.Stats) int {
			if s.ShuttingDown {
				return 1
			}
			return 0
		}),
	state("planrooms_ready", "planrooms.hub.ready", "1", "1 while the hub can serve clients (Hub.Ready), else 0",
		func(n *numbers) int { return flag(n.ready) }),
	state("planrooms_gate_open", "planrooms.cluster.gate_open", "1",
		"1 while the hub writes events to clients, else 0: it has no tenure; always 1 without an engine",
		func(n *numbers) int { return flag(!n.clustered || n.cluster.Open) }),
	state("planrooms_cluster_lag", "planrooms.cluster.lag", "{record}",
		"Records of the log that the hub has not applied, as of its last beat; 0 without an engine",
		func(n *numbers) int { return int(n.cluster.Last - min(n.cluster.Applied, n.cluster.Last)) }),
	state("planrooms_cluster_nodes", "planrooms.cluster.nodes", "{node}",
		"Nodes of the cluster that are alive, as this hub knows; 0 without an engine",
		func(n *numbers) int { return n.alive() }),
	state("planrooms_cluster_uncertain_plans", "planrooms.cluster.uncertain_plans", "{plan}",
		"Plans with events of which it is not known whether they are stored; 0 without an engine",
		func(n *numbers) int { return n.cluster.Uncertain }),
	gauge("planrooms_authorize_running", "planrooms.authorize.running", "{call}", "Calls of Authorize that are running and not overdue",
		func(s *room.Stats) int { return s.AuthorizeRunning }),
	gauge("planrooms_authorize_overdue", "planrooms.authorize.overdue", "{call}",
		"Calls of Authorize that have not returned after AuthorizeTimeout",
		func(s *room.Stats) int { return s.AuthorizeOverdue }),
	gauge("planrooms_joins_waiting", "planrooms.join.waiting", "{join}", "Joins that wait for a call of Authorize",
		func(s *room.Stats) int { return s.JoinsWaiting }),
	gauge("planrooms_rechecks_waiting", "planrooms.recheck.waiting", "{check}",
		"Access checks of members that are due and wait for a call of Authorize",
		func(s *room.Stats) int { return s.RechecksWaiting }),

	counter("planrooms_connects_total", "planrooms.connection.accepted", "{connection}", "Connections accepted",
		func(n *numbers) uint64 { return n.stats.Connects }),
	by(Metric{
		Prometheus: "planrooms_disconnects_total", OTel: "planrooms.connection.ended", Unit: "{connection}",
		Help:  "Connections ended, by close code; other is any code that the protocol does not define",
		Label: "code", Attribute: "planrooms.close.code",
	}, closeCodes(), func(s *room.Stats) map[protocol.CloseCode]uint64 { return s.Closed }, codeLabel),
	by(Metric{
		Prometheus: "planrooms_refusals_total", OTel: "planrooms.connection.refused", Unit: "{request}",
		Help:  "Requests for a connection that were refused, by reason",
		Label: "reason", Attribute: "planrooms.refusal.reason",
	}, refusalReasons(), func(s *room.Stats) map[room.RefusalReason]uint64 { return s.Refused }, text),
	counter("planrooms_too_slow_total", "planrooms.connection.too_slow", "{connection}",
		"Connections closed because the client read too slowly",
		func(n *numbers) uint64 { return n.stats.TooSlow }),
	counter("planrooms_slow_total", "planrooms.connection.slow", "{occurrence}",
		"Times that a full socket left a message half written",
		func(n *numbers) uint64 { return n.stats.Slow }),
	counter("planrooms_resyncs_total", "planrooms.connection.resyncs", "{resync}",
		"Times that the hub sent resync to a connection that missed events",
		func(n *numbers) uint64 { return n.stats.Resyncs }),

	parts(Metric{
		Prometheus: "planrooms_joins_total", OTel: "planrooms.join.accepted", Unit: "{join}",
		Help:  "Joins; recovered ones resumed from a position without loading the plan",
		Label: "recovered", Attribute: "planrooms.join.recovered",
	}, part{"true", func(s *room.Stats) uint64 { return s.Recovered }},
		part{"false", func(s *room.Stats) uint64 { return s.Joins - s.Recovered }}),
	counter("planrooms_joins_denied_total", "planrooms.join.denied", "{join}",
		"Joins refused, because access was denied or could not be checked",
		func(n *numbers) uint64 { return n.stats.Denied }),
	counter("planrooms_resumes_failed_total", "planrooms.join.resume_failed", "{join}",
		"Joins that could not resume, so that the client loads the plan",
		func(n *numbers) uint64 { return n.stats.ResumesFailed }),
	by(Metric{
		Prometheus: "planrooms_leaves_total", OTel: "planrooms.room.leaves", Unit: "{leave}",
		Help:  "Times that a connection left a room, by reason",
		Label: "reason", Attribute: "planrooms.leave.reason",
	}, leaveReasons(), func(s *room.Stats) map[room.LeaveReason]uint64 { return s.Left }, text),
	parts(Metric{
		Prometheus: "planrooms_rechecks_total", OTel: "planrooms.recheck.made", Unit: "{check}",
		Help:  "Access checks of members, by result",
		Label: "result", Attribute: "planrooms.recheck.result",
	}, part{string(room.RecheckKept), func(s *room.Stats) uint64 { return s.Rechecks - s.RechecksUndecided - s.RemovedForbidden }},
		part{string(room.RecheckUndecided), func(s *room.Stats) uint64 { return s.RechecksUndecided }},
		part{string(room.RecheckRemoved), func(s *room.Stats) uint64 { return s.RemovedForbidden }}),

	counter("planrooms_broadcasts_total", "planrooms.broadcast.events", "{event}", "Events published",
		func(n *numbers) uint64 { return n.stats.Broadcasts }),
	observed(counter("planrooms_broadcast_bytes_total", "planrooms.broadcast.size", "By", "Size of the events published, without framing",
		func(n *numbers) uint64 { return n.totals.broadcastBytes.Load() })),
	observed(counter("planrooms_deliveries_total", "planrooms.delivery.events", "{event}",
		"Events offered to connections, counted once for each connection",
		func(n *numbers) uint64 { return n.totals.deliveries.Load() })),
	observed(counter("planrooms_delivery_bytes_total", "planrooms.delivery.size", "By",
		"Size of the events offered to connections, without framing, counted once for each connection",
		func(n *numbers) uint64 { return n.totals.deliveryBytes.Load() })),
	observed(counter("planrooms_deliveries_late_total", "planrooms.delivery.late", "{connection}",
		"Connections that did not take all events of a pass at once, counted once for each pass",
		func(n *numbers) uint64 { return n.totals.late.Load() })),
	counter("planrooms_evicted_events_total", "planrooms.history.evicted", "{event}",
		"Events dropped from histories because of HistoryTotal",
		func(n *numbers) uint64 { return n.stats.Evicted }),
	parts(Metric{
		Prometheus: "planrooms_notifications_total", OTel: "planrooms.notification.events", Unit: "{event}",
		Help:  "Events of Notify, counted once for each connection of the user",
		Label: "result", Attribute: "planrooms.notification.result",
	}, part{"queued", func(s *room.Stats) uint64 { return s.NotifiesQueued }},
		part{"dropped", func(s *room.Stats) uint64 { return s.NotifiesDropped }}),
}

func gauge(prometheus, otel, unit, help string, value func(*room.Stats) int) Metric {
	return Metric{
		Prometheus: prometheus, OTel: otel, Unit: unit, Help: help,
		read: func(n *numbers, emit func(string, int64)) { emit("", int64(value(&n.stats))) },
	}
}

// state is a gauge that does not come from Stats alone.
func state(prometheus, otel, unit, help string, value func(*numbers) int) Metric {
	return Metric{
		Prometheus: prometheus, OTel: otel, Unit: unit, Help: help,
		read: func(n *numbers, emit func(string, int64)) { emit("", int64(value(n))) },
	}
}

func flag(set bool) int {
	if set {
		return 1
	}
	return 0
}

// alive counts the nodes that have not ended.
func (n *numbers) alive() (count int) {
	for i := range n.cluster.Nodes {
		count += flag(!n.cluster.Nodes[i].Ended)
	}
	return count
}

func counter(prometheus, otel, unit, help string, value func(*numbers) uint64) Metric {
	return Metric{
		Prometheus: prometheus, OTel: otel, Unit: unit, Help: help, Counter: true,
		read: func(n *numbers, emit func(string, int64)) { emit("", int64(value(n))) },
	}
}

func observed(m Metric) Metric {
	m.observed = true
	return m
}

// part is one value of a counter with a label.
type part struct {
	label string
	value func(*room.Stats) uint64
}

func parts(m Metric, all ...part) Metric {
	m.Counter = true
	m.read = func(n *numbers, emit func(string, int64)) {
		for _, p := range all {
			emit(p.label, int64(p.value(&n.stats)))
		}
	}
	return m
}

// by is a counter whose values are in a map of Stats. The known keys always have a value, because
// the rate of a series that begins with 1 misses that 1.
func by[K comparable](m Metric, known []K, values func(*room.Stats) map[K]uint64, label func(K) string) Metric {
	m.Counter = true
	m.read = func(n *numbers, emit func(string, int64)) {
		counts := values(&n.stats)
		for _, key := range known {
			emit(label(key), int64(counts[key]))
			delete(counts, key) // the map is ours
		}
		for key, count := range counts { // of a newer version of room
			emit(label(key), int64(count))
		}
	}
	return m
}

func text[K ~string](key K) string { return string(key) }

func codeLabel(code protocol.CloseCode) string {
	if code == 0 {
		return "other"
	}
	return strconv.Itoa(int(code))
}

func closeCodes() []protocol.CloseCode {
	return []protocol.CloseCode{
		protocol.CloseNormal, protocol.CloseGoingAway, protocol.CloseProtocolError, protocol.CloseUnsupportedData,
		protocol.CloseNoStatus, protocol.CloseAbnormal, protocol.CloseInvalidPayload, protocol.CloseTooBig,
		protocol.CloseBadRequest, protocol.CloseUnauthorized, protocol.CloseForbidden, protocol.CloseTimeout,
		protocol.CloseReplaced, protocol.CloseRateLimited, protocol.CloseInternal, protocol.CloseShutdown,
		protocol.CloseTooSlow, 0,
	}
}

func refusalReasons() []room.RefusalReason {
	return []room.RefusalReason{
		room.RefusedOrigin, room.RefusedHandshake, room.RefusedNoToken, room.RefusedInvalidToken, room.RefusedExpiredToken,
		room.RefusedUnavailable, room.RefusedDisconnected, room.RefusedUserLimit, room.RefusedServerLimit,
		room.RefusedShutdown, room.RefusedUpgrade, room.RefusedGone, room.RefusedOther,
	}
}

func leaveReasons() []room.LeaveReason {
	return []room.LeaveReason{room.LeaveRequested, room.LeaveClosed, room.LeaveRevoked, room.LeaveForbidden, room.LeaveUnconfirmed}
}
