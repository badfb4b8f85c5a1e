package examples_test

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunc = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)[A-Z]\w*)\(`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
	comment  = regexp.MustCompile(`(?m)^\s*//.*$`)
)

// TestNamedTestsExist checks that each test that a document or a comment names exists. The
// documentation of a package names the tests of its promises. They must be in the folder of the
// package, unless the name of another package follows, as in "… in transport".
func TestNamedTestsExist(t *testing.T) {
	exists := make(map[string]bool) // by name, and by folder and name
	files := goFiles(t)
	for _, file := range files {
		for _, m := range testFunc.FindAllStringSubmatch(read(t, file), -1) {
			exists[m[1]] = true
			exists[filepath.Join(filepath.Dir(file), m[1])] = true
		}
	}
	total := 0
	check := func(file, text string, known func(name string) bool) {
		for _, name := range testName.FindAllString(text, -1) {
			total++
			if !known(name) {
				t.Errorf("%s names %s, which does not exist", file, name)
			}
		}
	}
	for _, document := range documents(t) {
		if filepath.Base(document) != "CHANGELOG.md" { // it describes earlier versions
			text := read(t, document)
			check(document, text, func(name string) bool {
				return exists[name] || strings.Contains(text, "func "+name+"(") // a test to write
			})
		}
	}
	for _, file := range files {
		comments := strings.Join(comment.FindAllString(read(t, file), -1), "\n")
		check(file, comments, func(name string) bool {
			elsewhere := strings.Contains(comments, name+" in ")
			return exists[filepath.Join(filepath.Dir(file), name)] || exists[name] && (elsewhere || filepath.Base(file) != "doc.go")
		})
	}
	if total < 100 {
		t.Errorf("%d names found, want 100 or more", total)
	}
}

// goFiles returns the Go files of the repository.
func goFiles(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".go"):
			list = append(list, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
