package protocol

import "bytes"

// isTaskID reports whether a JSON value is a task ID: a string, or an integer of at most 2^53-1 in
// magnitude. raw is valid JSON.
func isTaskID(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '"' {
		return true
	}
	digits := bytes.TrimPrefix(raw, []byte("-"))
	n, ok := seqOf(digits)
	return ok && (n > 0 || len(digits) == len(raw)) // -0 would equal 0
}

// areTaskIDs reports whether a JSON value is an array of task IDs. raw is valid JSON.
func areTaskIDs(raw []byte) bool {
	s := scanner{b: bytes.TrimSpace(raw), maxDepth: maxServerDepth}
	return s.elements(isTaskID)
}
