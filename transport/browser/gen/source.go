package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// source has the declarations of package protocol, in their order.
type source struct {
	payloads  []payload
	constants map[string][]constant // by the name of their type
	docs      map[string]string     // of functions and named types
}

// payload is a struct that is the data of a message, or a part of it.
type payload struct {
	name, doc string
	fields    []field
}

type field struct {
	name, doc string // the name as in JSON
	typ       ast.Expr
	optional  bool
}

type constant struct {
	name, doc string
	value     string // a literal, which is the same in Go and TypeScript
}

// readSources returns the Go files of a directory by name, without tests.
func readSources(dir string) (map[string][]byte, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("gen: no Go files in %s", dir)
	}
	return files, nil
}

func parse(files map[string][]byte) (*source, error) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	src := &source{constants: make(map[string][]constant), docs: make(map[string]string)}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, files[name], parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if err := src.read(decl); err != nil {
				return nil, fmt.Errorf("gen: %s: %w", name, err)
			}
		}
	}
	return src, nil
}

func (s *source) read(decl ast.Decl) error {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil {
			s.docs[decl.Name.Name] = text(decl.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				s.docs[spec.Name.Name] = text(decl.Doc, spec.Doc, spec.Comment)
				if err := s.readStruct(spec); err != nil {
					return err
				}
			case *ast.ValueSpec:
				if decl.Tok == token.CONST {
					if err := s.readConstant(spec); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// readStruct adds an exported struct with JSON tags. It is an error if a field has none.
func (s *source) readStruct(spec *ast.TypeSpec) error {
	typ, ok := spec.Type.(*ast.StructType)
	if !ok || !spec.Name.IsExported() {
		return nil
	}
	p := payload{name: spec.Name.Name, doc: s.docs[spec.Name.Name]}
	var untagged string
	for _, f := range typ.Fields.List {
		var tag string
		if f.Tag != nil {
			literal, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				return err
			}
			tag = reflect.StructTag(literal).Get("json")
		}
		if tag == "" || len(f.Names) != 1 {
			untagged = fmt.Sprint(f.Names)
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		p.fields = append(p.fields, field{name: name, doc: text(f.Doc, f.Comment), typ: f.Type, optional: options == "omitempty"})
		if options != "" && options != "omitempty" {
			return fmt.Errorf("%s.%s: json option %q is not known here", p.name, name, options)
		}
	}
	if p.fields == nil {
		return nil
	}
	if untagged != "" {
		return fmt.Errorf("%s: field %s has no name in JSON", p.name, untagged)
	}
	s.payloads = append(s.payloads, p)
	return nil
}

// numbered are the types of package protocol whose constants are numbered by iota. They are not
// part of the wire.
var numbered = []string{"Place"}

// readConstant adds exported constants of a named type.
func (s *source) readConstant(spec *ast.ValueSpec) error {
	typ, ok := spec.Type.(*ast.Ident)
	if !ok || slices.Contains(numbered, typ.Name) {
		return nil
	}
	for i, name := range spec.Names {
		if !name.IsExported() {
			continue
		}
		if i >= len(spec.Values) {
			return fmt.Errorf("%s has no value", name.Name)
		}
		literal, ok := spec.Values[i].(*ast.BasicLit)
		if !ok {
			return fmt.Errorf("%s is not a literal", name.Name)
		}
		s.constants[typ.Name] = append(s.constants[typ.Name], constant{name.Name, text(spec.Doc, spec.Comment), literal.Value})
	}
	return nil
}

func text(groups ...*ast.CommentGroup) string {
	var parts []string
	for _, g := range groups {
		if t := strings.TrimSpace(g.Text()); t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, "\n")
}
