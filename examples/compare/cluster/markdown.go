package main

import (
	"bytes"
	"fmt"
	"os"
)

// The report is between these lines of a file.
const (
	blockBegin = "<!-- go run ./cluster -markdown: begin -->\n"
	blockEnd   = "<!-- go run ./cluster -markdown: end -->\n"
)

// replaceBlock replaces what is between the two lines in a file with a report.
func replaceBlock(file string, report []byte) error {
	before, after, err := aroundBlock(file)
	if err != nil {
		return err
	}
	block := append([]byte("\n"), bytes.TrimSpace(report)...)
	block = append(block, "\n\n"...)
	return os.WriteFile(file, bytes.Join([][]byte{before, []byte(blockBegin), block, []byte(blockEnd), after}, nil), 0o644)
}

// aroundBlock returns what is before and after the two lines in a file.
func aroundBlock(file string) (before, after []byte, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	before, rest, begins := bytes.Cut(text, []byte(blockBegin))
	_, after, ends := bytes.Cut(rest, []byte(blockEnd))
	if !begins || !ends {
		return nil, nil, fmt.Errorf("%w: %s has no block that begins with the line %q and ends with %q", errUsage, file, blockBegin, blockEnd)
	}
	return before, after, nil
}
