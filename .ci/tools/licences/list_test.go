package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/planrooms/planrooms/ci/tools/internal/repo"
)

// The list in the repository is that of its modules and pages. -write writes it again.
func TestListIsCurrent(t *testing.T) {
	root := rootOf(t)
	want, err := list(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is not current: run go run -C .ci/tools ./licences -write (-want +got):\n%s", document, diff)
	}
}

func rootOf(t *testing.T) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// Modules whose licence does not allow what the MIT licence allows stay out of the library.
func TestLicencesPermit(t *testing.T) {
	used, err := goModules(rootOf(t))
	if err != nil {
		t.Fatal(err)
	}
	permissive := map[string]bool{"MIT": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true, "Apache-2.0": true}
	library := 0
	for path, m := range used {
		if !slices.Contains(m.in, "library") && !slices.Contains(m.in, "room/metrics") && !slices.Contains(m.in, "room/natsengine") {
			continue
		}
		library++
		licence, err := licenceOf(m.dir)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for id := range strings.SplitSeq(licence, " and ") {
			if !permissive[id] {
				t.Errorf("%s has the licence %s", path, licence)
			}
		}
	}
	if library < 2 {
		t.Errorf("found %d modules of the library", library)
	}
}

func TestLicenceOf(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(rootOf(t), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"MIT":        {map[string]string{"LICENSE": string(text)}, "MIT"},
		"a suffix":   {map[string]string{"License.md": string(text)}, "MIT"},
		"none":       {map[string]string{"README": string(text)}, ""},
		"other text": {map[string]string{"LICENSE": "Ask the author."}, ""},
	} {
		dir := t.TempDir()
		for name, text := range c.files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := licenceOf(dir); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
}

func TestBundled(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []bundle
	}{
		"two": {"# Licenses\n\n## react - 19.3.1 (MIT)\n\nMIT License\n\n## tslib - 2.9.1 (0BSD)\n\nCopyright\n", []bundle{
			{"examples/board", "examples/board/web/dist/licenses.txt", "react", "MIT"},
			{"examples/board", "examples/board/web/dist/licenses.txt", "tslib", "0BSD"},
		}},
		"no text":       {"# Licenses\n\n## react - 19.3.1 (MIT)\n\n## tslib - 2.9.1 (0BSD)\n\nCopyright\n", nil},
		"no identifier": {"# Licenses\n\n## react - 19.3.1\n\nMIT License\n", nil},
		"nothing":       {"", nil},
	} {
		root := t.TempDir()
		dist := filepath.Join(root, "examples", "board", "web", "dist")
		if err := os.MkdirAll(dist, 0o700); err != nil {
			t.Fatal(err)
		}
		if c.text != "" {
			if err := os.WriteFile(filepath.Join(dist, "licenses.txt"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := bundled(root)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(bundle{})); diff != "" || (err == nil) != (c.want != nil) {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}
