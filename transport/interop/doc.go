// Package interop is the root of a test module. Its tests use Plan rooms with common middleware,
// proxies and WebSocket clients. README.md lists the results.
package interop
