// glue: this file

package folder

import "github.com/planrooms/planrooms/room"

// A comment does not count.
var text = `two
lines`

var hub *room.Hub
