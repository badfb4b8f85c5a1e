// Package store keeps the taskboard in SQLite: users and their sessions, plans and their members,
// and tasks.
//
// Every exported method of [Store] that touches a plan takes the user who asks, and checks their
// role in the transaction that reads or changes the plan. A method that changes a plan returns
// what its viewers need, as of the commit.
//
// The package does not depend on HTTP or the hub. A service with another database replaces this
// package only.
package store
