// Package enginetest helps to write a [room.Engine], and to test services and hubs that use one.
//
// [Memory] is a log in memory that the engines of several nodes in one process share, with faults
// that a test can inject: lost connections, stopped processes, late records, lost and damaged
// parts of the log. It is also the example of how to write an engine: memory.go is what a store
// has to offer, engine.go is the engine that uses it.
package enginetest
