// Package enginetest helps to write a [room.Engine], and to test services and hubs that use one.
//
// [Run] tests an engine against the contract of [room.Engine], with the faults that its [Cluster]
// can inject. The page "How to write an engine", README.md, says what to look out for.
//
// [Memory] is a log in memory that the engines of several nodes in one process share, with faults
// that a test can inject: lost connections, stopped processes, late records, lost and damaged
// parts of the log. It is also the example of how to write an engine: memory.go is what a store
// has to offer, engine.go is the engine that uses it.
package enginetest
