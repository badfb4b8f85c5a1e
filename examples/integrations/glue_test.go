// Package integrations_test counts the lines of code that the integrations add to a service.
package integrations_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Glue is the code that a service adds to use the library. It is marked in three ways:
//
//	// glue: this file          on the first line of a file: all its lines
//	// glue {  ...  // } glue   around lines, each on a separate line
//	// glue                     after a line of code, with or without ": text": that line
//
// A line counts if it has code: not if it is empty or has a comment alone.
const (
	wholeFile = "// glue: this file"
	begin     = "// glue {"
	end       = "// } glue"
)

// limits are the most lines of glue that a folder may have. The other folders have none.
var limits = map[string]int{"bus": 120, "sessions": 80}

// The number of lines in README.md is that of the code, and within the limits.
func TestGlue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	folders := glue(t, ".")
	for name, lines := range folders {
		row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| \[%s\]\(%[1]s\) \|.*\| (\d+) \|$`, name)).FindSubmatch(readme)
		switch {
		case row == nil:
			t.Errorf("README.md has no row for the folder %s, which has %d lines of glue", name, lines)
		case string(row[1]) != strconv.Itoa(lines):
			t.Errorf("%s has %d lines of glue, README.md says %s", name, lines, row[1])
		}
		if limit, ok := limits[name]; ok && lines > limit {
			t.Errorf("%s has %d lines of glue, at most %d are allowed", name, lines, limit)
		}
	}
	for name := range limits {
		if folders[name] == 0 {
			t.Errorf("no glue in %s", name)
		}
	}
}

// The counting itself: a folder with 7 lines of glue, and files whose marks are wrong.
func TestCounting(t *testing.T) {
	if got := glue(t, "testdata/counted")["folder"]; got != 7 {
		t.Errorf("%d lines of glue, want 7", got)
	}
	for name, want := range map[string]string{
		"unmarked_import.txt": `unmarked_import.txt:3: not marked as glue: import "github.com/planrooms/planrooms/room"`,
		"unmarked_call.txt":   `unmarked_call.txt:11: not marked as glue: 	return hub.Stats()`,
		"unended.txt":         `unended.txt: "// glue {" without "// } glue"`,
	} {
		if _, err := countFile(filepath.Join("testdata", name)); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}

// glue returns the lines of glue of each folder below root that has any Go file but tests.
func glue(t *testing.T, root string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s (error %v)", root, err)
	}
	lines := map[string]int{}
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		if strings.HasSuffix(file, "_test.go") {
			lines[folder] += 0 // a folder of tests alone is in README.md too
			continue
		}
		n, err := countFile(file)
		if err != nil {
			t.Error(err)
		}
		lines[folder] += n
	}
	return lines
}

// countFile returns the lines of glue of a file. It returns an error if a line that uses the
// library is not marked.
func countFile(name string) (int, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	text := strings.Split(string(src), "\n")
	marked, err := marks(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	code, err := codeLines(name, src)
	if err != nil {
		return 0, err
	}
	used, err := uses(name, src)
	if err != nil {
		return 0, err
	}
	for _, line := range used {
		if !marked[line] {
			return 0, fmt.Errorf("%s:%d: not marked as glue: %s", name, line, text[line-1])
		}
	}
	n := 0
	for line := range code {
		if marked[line] {
			n++
		}
	}
	return n, nil
}

// marks returns the marked lines, counted from 1.
func marks(text []string) (map[int]bool, error) {
	marked := map[int]bool{}
	inside := false
	for i, line := range text {
		_, comment, _ := strings.Cut(line, "// glue")
		after := strings.Contains(line, "// glue") && (comment == "" || strings.HasPrefix(comment, ": "))
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == begin && !inside, trimmed == end && inside:
			inside = !inside
		case trimmed == begin || trimmed == end:
			return nil, fmt.Errorf("line %d: %q is not expected", i+1, trimmed)
		case inside || after || text[0] == wholeFile:
			marked[i+1] = true
		}
	}
	if inside {
		return nil, fmt.Errorf("%q without %q", begin, end)
	}
	return marked, nil
}

// codeLines returns the lines with code.
func codeLines(name string, src []byte) (map[int]bool, error) {
	lines := map[int]bool{}
	files := token.NewFileSet()
	file := files.AddFile(name, -1, len(src))
	var s scanner.Scanner
	var failed scanner.ErrorList
	s.Init(file, src, failed.Add, 0)
	for {
		pos, tok, literal := s.Scan()
		if tok == token.EOF {
			return lines, failed.Err()
		}
		if tok == token.SEMICOLON && literal == "\n" {
			continue
		}
		first := file.Line(pos)
		for line := first; line <= first+strings.Count(literal, "\n"); line++ {
			lines[line] = true
		}
	}
}

// uses returns the lines that use the library: imports of its packages, names of these packages,
// and variables and fields with the hub or with what the example makes of it.
func uses(name string, src []byte) ([]int, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, src, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	names := []string{"hub", "Hub", "live", "Live"}
	var lines []int
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(imported, "github.com/planrooms/planrooms/"); ok && !strings.HasPrefix(rest, "examples/") {
			lines = append(lines, files.Position(spec.Pos()).Line)
			names = append(names, path.Base(imported))
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && slices.Contains(names, x.Name) || slices.Contains(names[:4], n.Sel.Name) {
				lines = append(lines, files.Position(n.Pos()).Line)
			}
		}
		return true
	})
	return lines, nil
}
