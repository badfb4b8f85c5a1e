// Package clients tests the server with WebSocket clients of others, in Go, JavaScript and Python.
package clients
