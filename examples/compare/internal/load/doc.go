// Package load is the client's side of a measurement: it opens thousands of WebSocket connections
// over raw sockets, has events published, counts what every connection receives and in which order,
// and takes the server's usage before and after.
//
// Everything is done by one goroutine over one epoll descriptor, so that the load generator costs
// little and its clock is read where a message arrives. It speaks just enough of RFC 6455 for that,
// and is not a client to copy. It needs Linux.
package load
