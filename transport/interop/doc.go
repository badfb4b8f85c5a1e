// Package interop is the root of a module of tests: Plan rooms with the middleware, proxies and
// WebSocket clients that people use it with. README.md says what they show.
package interop
