// Command licences lists the licences of the modules that the Go modules of this repository are
// built with, and of the npm packages in the built pages:
//
//	go run -C .ci/tools ./licences          # prints the list
//	go run -C .ci/tools ./licences -write   # writes it to .github/LICENSES.md
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// document is the list in the repository.
const document = ".github/LICENSES.md"

func main() {
	write := flag.Bool("write", false, "write "+document)
	flag.Parse()
	if err := run(*write); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(write bool) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	text, err := list(root)
	if err != nil {
		return err
	}
	if write {
		return os.WriteFile(filepath.Join(root, document), []byte(text), 0o644)
	}
	_, err = fmt.Print(text)
	return err
}
