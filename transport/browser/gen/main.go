// Command gen writes types/protocol.d.ts: the wire as TypeScript sees it, made from the sources of package protocol. It runs in
// transport/browser, by go generate.
//
// It fails when protocol has a type of message, a payload or a code that its tables do not know, so that whoever adds one
// decides where it belongs.
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
