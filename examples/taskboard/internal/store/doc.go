// Package store keeps the taskboard in SQLite: users and their sessions, plans, who may do what in them, and their tasks.
//
// Every exported method of [Store] that touches a plan is told who asks, and checks their right in the same transaction in which it
// reads or changes: there is no moment in between. A method that changes a plan returns what its viewers should be told, as
// it was when the change was committed.
//
// The package knows neither HTTP nor the hub. A service with another database replaces this package and keeps the rest.
package store
