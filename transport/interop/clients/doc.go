// Package clients tests the server with WebSocket clients of other projects, in Go, JavaScript and
// Python.
package clients
