// Package tenure has the rules by which the nodes of a cluster know whether another node may still
// write to clients. Hub.Revoke depends on them: when it returns, each node has either applied the
// record that ends the access, or writes nothing.
//
// The package is pure: it has no goroutine, no lock and no clock, and does no I/O. The caller
// guards the values and passes in times, records and lists. So tests can explore all their states.
//
// # Own: this node
//
// Each node stores a note once a second, a beat. A beat begins or extends a tenure, which lasts a
// fifth less than the ttl from before the beat was sent. The tenure has a number. When it begins,
// the node appends a record with that number to the log. Its gate opens, and it writes to clients,
// when it has applied this record itself. It has then applied all that precedes it.
//
//   - Only the record of the current tenure opens the gate. One of an earlier tenure may precede a
//     record that other nodes did not wait for, since that tenure had ended.
//   - An answer that comes after the tenure has ended begins another tenure, even if its beat was
//     sent before. Other nodes may have noticed the end meanwhile.
//   - The monotonic clock of a suspended machine stands still. So a tenure also ends when the wall
//     clock has gained a fifth of the ttl on it, counted from when the beat was sent. The gate
//     reads both clocks before each write.
//   - A write may wait for its client, with the end of the tenure as its deadline. If the tenure
//     ends before its time, the node first waits for these writes, or cuts their connections. Only
//     then a note says that the tenure has ended, or another one begins.
//   - The gate shuts when the record has left the window of the log. A node that opens the
//     log then does not read it.
//
// # Peers: the other nodes
//
// A tenure has ended if its node says so, in a note or a record, or begins another one. It has also
// ended if the node has stored no note for the ttl, as two lists show:
//
//   - The time counts from the answer of the older list to the question of the newer one. A store
//     may read the notes at any time between both.
//   - Both lists come after the record of the tenure was applied. Each shows the newest note of
//     this node itself: other lists may be old.
//   - This node had a tenure all the time between the lists. Otherwise the store may have been away
//     for all nodes, and all users would leave.
//   - A list that lacks the node proves nothing. The node is gone if all lists have lacked it for
//     five times the ttl.
//
// What has ended stays ended. Tenures have numbers, so records that are stored late do not matter.
//
// Some nodes have an open gate although their record is not in the log as this node reads it. One
// is a node whose record left the window just before this node opened the log: it is in the first
// list. Others have not noticed yet that the log is another one; their tenures end within the ttl,
// and after [Peers.Reset] a [Wait] takes that long.
//
// # What the model covers
//
// TestModel explores what one or two nodes with a member and one that calls Revoke can do, with the
// code of this package: beats, answers, appends and lists that are delayed, lost, stored late or
// twice; lists that are old or lack a node; a node that reads the log with any delay, ends its
// tenure during a write, or is suspended; records that are trimmed; a caller that has just opened
// the log; and a log that is lost, with or without the notes. Its state is finite, since times
// count relative to now. The bounds are two to three beats of each node, three records, and few
// events of each other kind; the caller's lists and the time are unbounded. The rules: once Revoke
// has returned, no node writes to the member; no live tenure counts as ended; no node that has
// beaten within the ttl is gone; and if all others are dead, Revoke returns within the ttl and two
// beats. TestModelPlanted shows that each of them can fail.
//
// The model assumes that a record stays in the window for the ttl after it was stored, that members
// are checked again in a new epoch, and that wall clocks are right. A caller without a tenure is
// not modelled, as it judges less. Nor is that a process or its machine stops between the check of
// the gate and the write, or during the write.
package tenure
