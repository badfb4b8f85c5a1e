package examples_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// hostPackages are the packages that services call, with the types whose methods count as well.
var hostPackages = map[string][]string{
	"auth":                  nil,
	"auth/jwtauth":          {"Verifier"},
	"room":                  {"Hub"},
	"room/roomtest":         nil,
	"room/metrics":          {"Metrics"},
	"room/metrics/otelroom": {"Instruments"},
	"room/natsengine":       nil,
	"transport":             {"Options"},
	"transport/browser":     nil,
	"transport/client":      nil,
}

// withoutExample are the functions that no Example calls, each with the reason.
var withoutExample = map[string]string{
	"jwtauth.ECDSA":              "as RSA",
	"jwtauth.Ed25519":            "as RSA",
	"room.Hub.BeginVerification": "for transports",
	"room.Hub.Connect":           "for transports",
	"room.Hub.ReportRefusal":     "for transports",
	"metrics.Metrics.Collect":    "Prometheus calls it",
	"metrics.Metrics.Describe":   "Prometheus calls it",
}

// A runnable Example calls each function that a service uses.
func TestEntryPointsHaveExamples(t *testing.T) {
	called := make(map[string]bool) // package.Function, and .Method
	for _, pattern := range []string{"../*/example*_test.go", "../*/*/example*_test.go", "../*/*/*/example*_test.go"} {
		for _, file := range parseFiles(t, pattern, true) {
			for _, example := range doc.Examples(file) {
				if example.Output != "" || example.EmptyOutput {
					addCalls(called, example.Code)
				}
			}
		}
	}
	for dir, types := range hostPackages {
		files := parseFiles(t, "../"+dir+"/*.go", false)
		if len(files) == 0 {
			t.Errorf("no Go files in %s", dir)
		}
		for _, name := range entryPoints(files, types) {
			key := name
			if parts := strings.Split(name, "."); len(parts) == 3 {
				key = "." + parts[2]
			}
			switch reason, listed := withoutExample[name]; {
			case !called[key] && !listed:
				t.Errorf("no Example with an Output calls %s", name)
			case called[key] && listed && reason != "for transports":
				t.Errorf("an Example calls %s: remove it from withoutExample", name)
			}
		}
	}
}

// parseFiles parses the files that a pattern matches: those of tests, or the others.
func parseFiles(t *testing.T, pattern string, tests bool) (files []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// entryPoints returns the exported functions of a package, and the exported methods of some types.
func entryPoints(files []*ast.File, types []string) (names []string) {
	for _, f := range files {
		for _, d := range f.Decls {
			function, ok := d.(*ast.FuncDecl)
			if !ok || !function.Name.IsExported() {
				continue
			}
			name := f.Name.Name + "." + function.Name.Name
			if function.Recv == nil {
				names = append(names, name)
			}
			for _, typ := range types {
				if receiver(function) == typ {
					names = append(names, f.Name.Name+"."+typ+"."+function.Name.Name)
				}
			}
		}
	}
	return names
}

// receiver returns the name of the type of a method, or "".
func receiver(function *ast.FuncDecl) string {
	if function.Recv == nil {
		return ""
	}
	typ := function.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

// addCalls adds the selectors in a piece of code, such as room.By and .Revoke of hub.Revoke.
func addCalls(called map[string]bool, code ast.Node) {
	ast.Inspect(code, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			called["."+s.Sel.Name] = true
			if x, ok := s.X.(*ast.Ident); ok {
				called[x.Name+"."+s.Sel.Name] = true
			}
		}
		return true
	})
}
