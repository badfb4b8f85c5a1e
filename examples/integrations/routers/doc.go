// Package routers makes one small service live on five routers: the mux of net/http, chi, gin, echo
// and gorilla/mux. Each file has one of them with its usual middleware; live.go is the same for
// all.
//
// Three places of a service change: a route for the WebSocket, the position in the answer with a
// plan, and one call after each change.
package routers
