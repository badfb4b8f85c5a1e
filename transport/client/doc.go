// Package client is a Go client of plan rooms: for services, bots and command-line tools that follow plans.
//
//	c, err := client.Dial(ctx, "wss://plans.example/ws", &client.Options{Token: client.StaticToken(token)})
//	...
//	defer c.Close()
//	plan, err := c.Join(ctx, "demo", nil)
//	...
//	for event, err := range plan.All(ctx) {
//		...
//	}
//
// # One connection, several plans
//
// A [Client] keeps one WebSocket connection for all its plans. When the connection is lost it comes back by itself, with a delay that
// grows and is random, as often as it takes; a server that says when to come back is obeyed. A plan then goes on
// where it stood: what was missed is replayed, in order. Only what cannot be cured by coming back ends a client: the user was
// disconnected, the token was refused twice in a row, another client took this one's id ([CloseError] says which),
// or [Client.Close] was called.
//
// # The stream of a plan
//
// [Plan.Next] and [Plan.All] give what happens in a plan in the one order that everybody sees: changes, receipts for the program's own
// changes, and people who come, go and change their state. No change is ever left out in silence. Where some are missing
// there stands an item of kind [Reload] in their place, which asks the program to load the plan again:
//
//   - first in the stream of a plan that was joined without a position;
//   - after an absence that was too long, or a restart of the server;
//   - when the host asked everybody to reload, or the server had to leave something out;
//   - when the program was too slow. The items that wait are bounded by Options.QueueEvents and Options.QueueBytes for each plan. When
//     there are more, those that tell of people go first; if that is not enough all are dropped and one Reload stands in their
//     place. Neither the connection nor another plan ever waits for a slow reader.
//
// A Reload carries the position from which the stream goes on. What is loaded after it was received may be newer than that, and
// the next items may tell of changes that it already has: those with a seq up to that of the position that came with the plan.
//
// # Tokens
//
// [Options].Token is asked for a token before connecting when there is none or it is near its end, 30 s before its end to renew
// it on the open connection, and after the server has refused one. Tokens are sent in the header Authorization, and never logged.
//
// # Goroutines
//
// A client has two: one that dials, writes and keeps the time, and one that reads; a third runs while a token is being renewed. The WebSocket library adds
// one for each connection. A plan has none. Close waits for all of them.
package client
