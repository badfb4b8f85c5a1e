// Package bus makes a to-do service live that runs on echo and publishes what has changed on an
// asynchronous event bus. Its lists and tasks have numeric IDs, and its users log in with opaque
// tokens; a share link is a token too.
//
// The hub is one more subscriber of the bus: live.go. In routes.go the service gets a route for the
// WebSocket, a middleware that captures the author, and the position in the answer with a list. The
// other handlers do not change.
//
// The bus starts a goroutine for each message, so messages arrive late and in any order.
// The subscriber therefore takes only IDs from a message. It reads the task again and broadcasts
// it, both under one lock, so no event has an older state than the one before.
//
// The end of an access takes the same way, so the answer to the request can come before the hub has
// removed the user. Where that is too late, call the hub in the handler, as package sessions does.
package bus
