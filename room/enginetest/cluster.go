package enginetest

import "github.com/planrooms/planrooms/room"

// Cluster is what [Run] tests: a log, and engines that use it. Its faults are optional interfaces:
// [Restarter], [Cutter], [Staller], [Trimmer], [Holer], [LogLoser], [Restorer] and [Wiper]. The
// checks that need a fault are skipped if the Cluster does not have it.
//
// All methods are called from the goroutine of the test, so a Cluster may use its testing.T.
type Cluster interface {
	// Engine returns the engine of another node, which is not open. The check closes it.
	Engine() room.Engine
}

// Restarter restarts a server, with its disk. If there are several, it is the one that leads, and
// the log survives that. Restart returns when the server is up again.
type Restarter interface{ Restart() }

// Cutter cuts the connections of one engine, for example with a proxy, so that nothing passes in
// either direction. The connections may break or be silent.
type Cutter interface {
	Cut(e room.Engine)
	Heal(e room.Engine)
}

// Staller holds up what an engine sends, after it has been sent. Release passes on what was held
// up, also if the engine has given up.
type Staller interface {
	Stall(e room.Engine)
	Release(e room.Engine)
}

// Trimmer removes the records before a seq from the log.
type Trimmer interface{ Trim(before uint64) }

// Holer damages the log: the record with a seq in the middle is gone.
type Holer interface{ Hole(seq uint64) }

// LogLoser makes the log lose its last n records, as if a server had restarted without having
// written them to its disk.
type LogLoser interface{ LoseTail(n int) }

// Restorer restores an old copy of the log. Snapshot makes the copy, Restore replaces the log by
// it.
type Restorer interface {
	Snapshot()
	Restore()
}

// Wiper restarts all servers with an empty disk. An engine of the cluster that opens the log then
// creates it again.
type Wiper interface{ Wipe() }
