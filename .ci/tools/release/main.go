// Command release changes the files that have a version in them, and prints what a release needs.
// .ci/release.sh uses it:
//
//	go run -C .ci/tools ./release versions v0.1.0             # nested modules require v0.1.0
//	go run -C .ci/tools ./release changelog v0.1.0 2026-01-31 # Unreleased becomes its section
//	go run -C .ci/tools ./release notes v0.1.0                # prints that section
//	go run -C .ci/tools ./release tags v0.1.0                 # prints the tags of nested modules
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/semver"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: release versions|changelog|notes|tags VERSION [DATE]")
	}
	version := args[1]
	if semver.Canonical(version) != version {
		return fmt.Errorf("%q is not a version such as v0.1.0", version)
	}
	root, err := repo.Root()
	if err != nil {
		return err
	}
	switch changelog := filepath.Join(root, ".github", "CHANGELOG.md"); {
	case args[0] == "versions":
		return repo.SetVersions(root, version, true)
	case args[0] == "changelog" && len(args) == 3:
		return cutFile(changelog, version, args[2])
	case args[0] == "notes":
		return printNotes(changelog, version)
	case args[0] == "tags":
		return printTags(root, version)
	}
	return fmt.Errorf("unknown command %q", args)
}

func cutFile(changelog, version, date string) error {
	text, err := os.ReadFile(changelog)
	if err != nil {
		return err
	}
	changed, err := cut(string(text), version, date)
	if err != nil {
		return err
	}
	return os.WriteFile(changelog, []byte(changed), 0o644)
}

func printNotes(changelog, version string) error {
	text, err := os.ReadFile(changelog)
	if err != nil {
		return err
	}
	section, err := notes(string(text), version)
	fmt.Print(section)
	return err
}

func printTags(root, version string) error {
	all, err := repo.Modules(root)
	for _, m := range all {
		if m.Released() && m.Dir != "." {
			fmt.Println(m.Dir + "/" + version)
		}
	}
	return err
}
