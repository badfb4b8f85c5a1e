package folder

// glue {

// a comment
func stats() int { return hub.Stats().Rooms }

// } glue

func two() int {
	return 1 + // nothing of the library
		stats() // glue: with a text
}
