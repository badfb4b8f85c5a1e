// Package tenure has the rules by which the nodes of a cluster know that another one does not write
// to clients any more.
package tenure
