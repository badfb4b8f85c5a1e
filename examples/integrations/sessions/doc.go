// Package sessions makes a board service live that runs on gorilla/mux, keeps its data and its
// login sessions in SQLite, and knows its users by a cookie. A visitor of a share link has a
// session too, whose row names the link.
//
// The WebSocket is authenticated by the same cookie as the routes. The hub gets the ID of the row
// of the session, so a logout on one device closes the connections of that device alone, and one
// query decides whether the session is valid and may see the plan.
//
// Browsers send cookies whatever page opens a connection, so the handler checks the origin: see
// transport.Options, which needs PublicOrigin behind a proxy.
package sessions
