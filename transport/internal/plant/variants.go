package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// One binary has all faults, since a build takes longer than most tests. The function with a fault
// stands beside the original, which calls it if the environment variable PLANTED_FAULT has the
// number of the fault:
//
//	func (l *log) trim(n int) { if plantedFault == 7 { l.trim_fault7(n); return }; …

// variable is the environment variable that activates a fault by its number, from 1 on.
const variable = "PLANTED_FAULT"

// selector is the file that reads the variable, added to each package that has faults.
const selector = `package %s

import "os"
import "strconv"

var plantedFault, _ = strconv.Atoi(os.Getenv("` + variable + `"))
`

// variants returns the files that an overlay puts in place of the original ones, by their paths. A
// fault has its place in the slice, plus 1, as its number. It reports all faults that do not apply.
func variants(root string, faults []fault) (map[string]string, error) {
	packages, overlay := make(map[string]*sources), make(map[string]string)
	names := make(map[string]bool)
	var failed []string
	for i := range faults {
		f := &faults[i]
		p := packages[f.dir]
		var err error
		if p == nil {
			if p, err = readPackage(filepath.Join(root, filepath.FromSlash(f.dir))); err != nil {
				return nil, err
			}
			packages[f.dir] = p
		}
		err = p.add(i+1, f)
		if err == nil && names[f.name] {
			err = fmt.Errorf("another fault has this name")
		}
		if names[f.name] = true; err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", f.name, err))
		}
	}
	for _, p := range packages {
		overlay[filepath.Join(p.dir, "planted_fault.go")] = fmt.Sprintf(selector, p.name)
		for _, s := range p.files {
			if len(s.inserts) > 0 {
				overlay[s.path] = s.withVariants()
			}
		}
	}
	if len(failed) > 0 {
		return nil, fmt.Errorf("%d of %d faults do not apply:\n%s", len(failed), len(faults), strings.Join(failed, "\n"))
	}
	return overlay, nil
}

// sources is the files of a package that are built on this platform.
type sources struct {
	dir, name string
	files     []*source
	functions map[string]function
}

// source is a file with its faults.
type source struct {
	path     string
	text     string
	base     token.Pos      // of its first byte
	inserts  map[int]string // text to insert, by offset
	variants strings.Builder
}

// function is a function of a file, from the keyword func to the closing brace.
type function struct {
	*ast.FuncDecl
	in   *source
	text string
}

// start returns the offset of the function in its file; place that of a position.
func (f *function) start() int              { return int(f.Pos() - f.in.base) }
func (f *function) place(pos token.Pos) int { return int(pos - f.in.base) }

func readPackage(dir string) (*sources, error) {
	found, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	p := &sources{dir: dir, name: found.Name, functions: make(map[string]function)}
	fset := token.NewFileSet()
	for _, name := range found.GoFiles {
		s := &source{path: filepath.Join(dir, name), inserts: make(map[int]string)}
		text, err := os.ReadFile(s.path)
		if err != nil {
			return nil, err
		}
		s.text = string(text)
		file, err := parser.ParseFile(fset, s.path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		s.base = file.FileStart
		for _, d := range file.Decls {
			if decl, ok := d.(*ast.FuncDecl); ok {
				f := function{FuncDecl: decl, in: s}
				f.text = s.text[f.start():f.place(decl.End())]
				p.functions[qualified(decl)] = f
			}
		}
		p.files = append(p.files, s)
	}
	return p, nil
}

// qualified returns the name of a function as the list has it.
func qualified(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	return fmt.Sprintf("%s.%s", of, f.Name)
}

// add adds the variant of a function with the fault.
func (p *sources) add(number int, f *fault) error {
	of, ok := p.functions[f.function]
	if !ok {
		return fmt.Errorf("%s has no function %s", f.dir, f.function)
	}
	text, err := f.plant(of.text)
	if err != nil {
		return err
	}
	if strings.Contains(of.text, "recover()") {
		return fmt.Errorf("recover works only in the deferred function itself, so %s cannot call a variant", f.function)
	}
	call, err := of.call(number)
	if err != nil {
		return err
	}
	of.in.inserts[of.place(of.Body.Lbrace)+1] += call
	name := of.place(of.Name.End()) - of.start()
	if !strings.HasPrefix(text, of.text[:name]) {
		return fmt.Errorf("the fault changes the name of the function")
	}
	// The compiler names the fault as the file of its errors.
	fmt.Fprintf(&of.in.variants, "\n//line %s:1\n%s_fault%d%s\n", f.name, text[:name], number, text[name:])
	return nil
}

// call returns the statement that calls the variant of a function.
func (f *function) call(number int) (string, error) {
	name := fmt.Sprintf("%s_fault%d", f.Name, number)
	if f.Recv != nil {
		if len(f.Recv.List[0].Names) != 1 || f.Recv.List[0].Names[0].Name == "_" {
			return "", fmt.Errorf("the receiver of %s has no name", f.Name)
		}
		name = f.Recv.List[0].Names[0].Name + "." + name
	}
	var args []string
	for _, field := range f.Type.Params.List {
		if len(field.Names) == 0 {
			return "", fmt.Errorf("a parameter of %s has no name", f.Name)
		}
		for _, arg := range field.Names {
			if arg.Name == "_" {
				arg.Name = fmt.Sprintf("_unused%d", len(args)) // its name in the original as well
				f.in.inserts[f.place(arg.Pos())+1] += arg.Name[1:]
			}
			text := arg.Name
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				text += "..."
			}
			args = append(args, text)
		}
	}
	call := fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
	if f.Type.Results == nil {
		return fmt.Sprintf(" if plantedFault == %d { %s; return };", number, call), nil
	}
	return fmt.Sprintf(" if plantedFault == %d { return %s };", number, call), nil
}

// withVariants returns the text of the file with the calls and the variants.
func (s *source) withVariants() string {
	var b strings.Builder
	last := 0
	for at := range len(s.text) + 1 {
		if insert := s.inserts[at]; insert != "" {
			b.WriteString(s.text[last:at])
			b.WriteString(insert)
			last = at
		}
	}
	b.WriteString(s.text[last:])
	b.WriteString(s.variants.String())
	return b.String()
}
