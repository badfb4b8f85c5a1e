// Package hosttests shows how a service tests what it does with the library. The service under test
// is that of package routers on the mux of net/http; copy the tests, not the service.
//
// The tests call the routes of the service and look at what members in memory (package roomtest)
// get. They need no socket and no browser, and take no time.
package hosttests
