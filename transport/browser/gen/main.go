// Command gen writes types/protocol.d.ts: TypeScript types for the messages of package protocol. It
// reads the sources of that package. go generate runs it in transport/browser.
//
// It fails if package protocol has a message type, a payload or a code that is in none of its
// tables.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run("../../protocol", "types/protocol.d.ts"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(protocolDir, output string) error {
	files, err := readSources(protocolDir)
	if err != nil {
		return err
	}
	src, err := parse(files)
	if err != nil {
		return err
	}
	text, err := typescript(src)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(output), 0o755); err != nil {
		return err
	}
	return os.WriteFile(output, text, 0o644)
}
