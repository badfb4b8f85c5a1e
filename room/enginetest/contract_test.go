package enginetest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/planrooms/planrooms/room/enginetest"
)

// notChecked are the sentences of the contract that no check tests.
var notChecked = []string{
	// What the hub does.
	"receive does not block.",
	"Before the first call of Open has succeeded, it calls no other method but Close.",
	"Any other error means that the hub may call Tail again.",
	"If not, and no other node is alive, the hub begins a new epoch.",
	// What the types are for.
	"OpenOptions describe a node to Engine.Open.",
	"Cluster is Options.Cluster.",
	"Opened is what Engine.Open has found.",
	"Window is what a log holds.",
	"Record is one entry of a log.",
	"Node is the last note of a node.",
	"OpenOptions.Node",
	"Engine is the log that the hubs of several processes share, the nodes of a cluster.",
	"It stores and orders records; what they mean is the hub's.",
	"Package room/natsengine has an engine for NATS JetStream.",
	"Package room/enginetest has one in memory, and the tests that every engine has to pass.",
}

// Each sentence of the documentation of room.Engine, and of the types of its arguments and results,
// is a rule of a check, or listed above.
func TestContract(t *testing.T) {
	sentences := contract(t)
	known := map[string]bool{}
	for _, c := range enginetest.Checks() {
		for _, rule := range c.Rules {
			known[plain(rule)] = true
			if !slices.Contains(sentences, plain(rule)) {
				t.Errorf("the check %s tests a rule that room.Engine does not have: %q", c.Name, rule)
			}
		}
	}
	for _, s := range notChecked {
		known[plain(s)] = true
		if !slices.Contains(sentences, plain(s)) {
			t.Errorf("room.Engine does not say %q", s)
		}
	}
	for _, s := range sentences {
		if !known[s] {
			t.Errorf("no check tests %q", s)
		}
	}
}

// plain removes what marks links.
func plain(s string) string { return strings.NewReplacer("[", "", "]", "").Replace(s) }

// contract returns the sentences of the documentation of engine.go.
func contract(t *testing.T) (sentences []string) {
	file, err := parser.ParseFile(token.NewFileSet(), "../engine.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	types := []string{"Engine", "OpenOptions", "Opened", "Window", "Record", "Node"}
	add := func(groups ...*ast.CommentGroup) {
		for _, g := range groups {
			text := strings.Join(strings.Fields(plain(g.Text())), " ")
			if text != "" {
				sentences = append(sentences, strings.Split(sentenceEnd.ReplaceAllString(text, ".\n"), "\n")...)
			}
		}
	}
	for _, decl := range file.Decls {
		g, ok := decl.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || !slices.Contains(types, g.Specs[0].(*ast.TypeSpec).Name.Name) {
			continue
		}
		add(g.Doc)
		ast.Inspect(g.Specs[0], func(n ast.Node) bool {
			if f, ok := n.(*ast.Field); ok {
				add(f.Doc, f.Comment)
			}
			return true
		})
	}
	return sentences
}

var sentenceEnd = regexp.MustCompile(`\. `)
