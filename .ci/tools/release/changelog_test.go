package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

const before = `# Changelog

## [Unreleased]

### Added

- Something, as [this](STABILITY.md) and [that](https://example.com/) say.

[Unreleased]: https://example.com/p/commits/HEAD
`

func TestChangelog(t *testing.T) {
	first, err := cut(before, "v0.1.0", "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	second, err := cut(strings.Replace(first, "## [Unreleased]\n", "## [Unreleased]\n\n- A fix.\n", 1), "v0.1.1", "2026-02-01")
	if err != nil {
		t.Fatal(err)
	}
	const want = `# Changelog

## [Unreleased]

## [0.1.1] - 2026-02-01

- A fix.

## [0.1.0] - 2026-01-31

### Added

- Something, as [this](STABILITY.md) and [that](https://example.com/) say.

[Unreleased]: https://example.com/p/compare/v0.1.1...HEAD
[0.1.1]: https://example.com/p/releases/tag/v0.1.1
[0.1.0]: https://example.com/p/releases/tag/v0.1.0
`
	if second != want {
		t.Errorf("after two releases:\n%s\nwant:\n%s", second, want)
	}
	for version, want := range map[string]string{
		"v0.1.0": "### Added\n\n- Something, as [this](https://github.com/planrooms/planrooms/blob/v0.1.0/.github/STABILITY.md)" +
			" and [that](https://example.com/) say.\n",
		"v0.1.1": "- A fix.\n",
	} {
		if got, err := notes(second, version); got != want || err != nil {
			t.Errorf("notes of %s: %q, %v, want %q", version, got, err, want)
		}
	}
}

func TestChangelogRefuses(t *testing.T) {
	released, err := cut(before, "v0.1.0", "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][3]string{
		"a date in another form": {before, "v0.1.0", "31.1.2026"},
		"a version twice":        {released, "v0.1.0", "2026-02-01"},
		"nothing to release":     {released, "v0.1.1", "2026-02-01"},
		"no section":             {strings.Replace(before, "Unreleased]\n", "Next]\n", 1), "v0.1.0", "2026-01-31"},
		"no link":                {strings.Replace(before, "[Unreleased]: ", "[Next]: ", 1), "v0.1.0", "2026-01-31"},
	} {
		if text, err := cut(args[0], args[1], args[2]); err == nil {
			t.Errorf("%s: no error, and\n%s", name, text)
		}
	}
	if text, err := notes(before, "v0.1.0"); err == nil {
		t.Errorf("notes of a version that has no section: %q", text)
	}
}

// The next release can be cut from the changelog of the repository.
func TestChangelogIsReady(t *testing.T) {
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, ".github", "CHANGELOG.md"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), unreleased+"\n## [") {
		t.Skip("nothing has changed since the last release")
	}
	released, err := cut(string(text), "v99.0.0", "2026-01-31")
	if err != nil {
		t.Fatal(err)
	}
	if section, err := notes(released, "v99.0.0"); err != nil || !strings.Contains(section, "\n### ") {
		t.Errorf("the section of the next release: %v\n%s", err, section)
	}
}
