// Package middleware tests the WebSocket handler behind the routers and middleware that services
// put around it.
package middleware
