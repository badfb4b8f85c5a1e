// Package examples_test checks the documents of the repository.
package examples_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/planrooms/planrooms/protocol"
	"github.com/planrooms/planrooms/transport/transporttest"
)

// patience ends a step that hangs. No test waits for it.
const patience = 2 * time.Minute

// readmes are the documents that hold Go code.
var readmes = []string{
	"../README.md", "../protocol/README.md", "../auth/README.md", "../room/README.md", "../room/CLUSTER.md",
	"../room/enginetest/README.md", "../room/metrics/README.md", "../room/natsengine/README.md", "../transport/README.md",
}

// pieces returns the Go code of a document.
func pieces(t *testing.T, document string) (list []string) {
	t.Helper()
	fenced := regexp.MustCompile("(?ms)^[ ]*```go\n(.*?)^[ ]*```$")
	for _, m := range fenced.FindAllStringSubmatch(read(t, document), -1) {
		list = append(list, m[1])
	}
	return list
}

// theProgram returns the program of examples/minimal.
func theProgram(t *testing.T) string {
	t.Helper()
	return read(t, "minimal/main.go")
}

// Every piece of Go in the documents is part of an example that is compiled and run.
func TestREADMEPieces(t *testing.T) {
	var examples strings.Builder
	for _, pattern := range []string{"../*/example*_test.go", "../*/*/example*_test.go", "../*/*/*/example*_test.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			examples.WriteString(unindented(read(t, name)))
		}
	}
	total := 0
	for _, document := range readmes {
		for _, piece := range pieces(t, document) {
			total++
			if !strings.Contains(examples.String(), unindented(piece)) {
				t.Errorf("no example has these lines of %s:\n%s", document, piece)
			}
		}
	}
	if total < 8 {
		t.Errorf("the documents have %d pieces of Go, want 8 or more", total)
	}
}

// maxREADME is the size in bytes up to which the README is read.
const maxREADME = 10 << 10

func TestREADMEIsShort(t *testing.T) {
	if n := len(read(t, "../README.md")); n > maxREADME {
		t.Errorf("README.md has %d bytes, more than %d", n, maxREADME)
	}
}

// The links of all documents lead to files and headings that exist.
func TestLinks(t *testing.T) {
	documents := documents(t)
	headings := make(map[string]map[string]bool)
	for _, d := range documents {
		headings[d] = headingsOf(read(t, d))
	}
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	links := 0
	for _, d := range documents {
		for _, m := range link.FindAllStringSubmatch(read(t, d), -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			links++
			file := d
			if target != "" {
				file = filepath.Join(filepath.Dir(d), filepath.FromSlash(target))
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s links to %s, which does not exist", d, m[1])
			} else if known := headings[file]; fragment != "" && known != nil && !known[fragment] {
				t.Errorf("%s links to %s, which has no such heading", d, m[1])
			}
		}
	}
	if links < 30 {
		t.Errorf("the documents have %d links, want 30 or more", links)
	}
}

// documents returns the Markdown files of the repository.
func documents(t *testing.T) (list []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == "dist" || d.Name() == "testdata"):
			return filepath.SkipDir
		case filepath.Ext(path) == ".md":
			list = append(list, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// headingsOf returns the anchors that GitHub gives the headings of a document.
func headingsOf(document string) map[string]bool {
	anchors := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(document, -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(m[1]) {
			switch {
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		anchors[b.String()] = true
	}
	return anchors
}

// unindented returns s without the white space that its lines begin with.
func unindented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}

// The program of examples/minimal builds in a separate module, and works as its README says.
func TestREADMEProgram(t *testing.T) {
	dir := moduleOfItsOwn(t, theProgram(t))
	mustGo(t, dir, "vet", ".")
	p := start(t, build(t, dir))

	var plan struct {
		Position protocol.Position `json:"position"`
		Tasks    []struct {
			Done bool `json:"done"`
		} `json:"tasks"`
	}
	p.call(t, "ann", http.MethodGet, "/plans/demo", http.StatusOK, &plan)
	if len(plan.Tasks) != 1 || plan.Tasks[0].Done {
		t.Fatalf("GET /plans/demo: %+v, want one task that is not done", plan)
	}
	p.call(t, "mallory", http.MethodGet, "/plans/demo", http.StatusNotFound, nil)
	if page := p.page(t); !strings.Contains(page, `from "/planrooms/planrooms.js"`) {
		t.Errorf("the page does not connect: %s", page)
	}

	ann, bob, mallory := p.dial(t, "ann"), p.dial(t, "bob"), p.dial(t, "mallory")
	for _, c := range []*transporttest.Client{ann, bob} {
		c.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo", Since: &plan.Position})
		var answer protocol.JoinAnswer
		c.Want(protocol.TypeJoinPlan, &answer)
		if !answer.Recovered {
			t.Errorf("a join since the position of the plan was not recovered: %+v", answer)
		}
	}
	ann.Want(protocol.TypeJoinPlan, nil) // bob has joined
	mallory.Request(protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"})
	var refused protocol.Error
	mallory.Want(protocol.TypeError, &refused)
	if refused.Code != protocol.ErrorForbidden {
		t.Errorf("mallory got the error %q, want %q", refused.Code, protocol.ErrorForbidden)
	}

	p.call(t, "ann", http.MethodPatch, "/tasks/milk", http.StatusOK, nil)
	ann.Want(protocol.TypeReceipt, nil)
	var updated struct {
		Task struct {
			Done bool `json:"done"`
		} `json:"task"`
	}
	if m := bob.Want(protocol.TypeTaskUpdated, &updated); !updated.Task.Done || m.By != "ann" || m.Prev != plan.Position.Seq {
		t.Errorf("bob got %+v %s", m, m.Data)
	}

	if runtime.GOOS == "windows" {
		return // Windows has no such signal
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*transporttest.Client{ann, bob, mallory} {
		if goodbye, code := c.WantClose(); goodbye.Code != code || code != protocol.CloseShutdown {
			t.Errorf("closed with %d after the goodbye %d, want %d", code, goodbye.Code, protocol.CloseShutdown)
		}
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v; stderr: %s", err, p.stderr.String())
	}
}

// program is the program of examples/minimal, running.
type program struct {
	cmd    *exec.Cmd
	stderr *strings.Builder // to be read when the program has ended
	host   string
	tokens map[string]string // by user
}

// start runs the program on a free port, and reads the links that it prints.
func start(t *testing.T, binary string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p := &program{cmd: exec.CommandContext(ctx, binary, "-addr", "127.0.0.1:0"), stderr: new(strings.Builder), tokens: make(map[string]string)}
	p.cmd.Stderr = p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Wait() // it was killed
		}
	})
	link := regexp.MustCompile(`^(\w+): http://([^/]+)/#(\S+)\n$`)
	for r := bufio.NewReader(stdout); len(p.tokens) < 3; {
		line, err := r.ReadString('\n')
		m := link.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("the program printed %q, %v; stderr: %s", line, err, p.stderr.String())
		}
		p.host, p.tokens[m[1]] = m[2], m[3]
	}
	return p
}

// call makes a request as the user's page does, and decodes the answer into data unless that is
// nil.
func (p *program) call(t *testing.T, user, method, path string, status int, data any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+p.host+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.tokens[user])
	r.Header.Set("X-Plan-Client", "page-of-"+user)
	body := do(t, r, status)
	if data == nil {
		return
	}
	if err := json.Unmarshal(body, data); err != nil {
		t.Fatalf("%s %s: %q: %v", method, path, body, err)
	}
}

func (p *program) page(t *testing.T) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.host+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(do(t, r, http.StatusOK))
}

func do(t *testing.T, r *http.Request, status int) []byte {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != status {
		t.Fatalf("%s %s = %d %s, want %d", r.Method, r.URL.Path, resp.StatusCode, body, status)
	}
	return body
}

// dial connects as the user, and reads the hello.
func (p *program) dial(t *testing.T, user string) *transporttest.Client {
	t.Helper()
	c := transporttest.Connect(t, "http://"+p.host+"/ws?client=page-of-"+user, &transporttest.Options{
		Header:  http.Header{"Origin": {"http://" + p.host}, "Authorization": {"Bearer " + p.tokens[user]}},
		Timeout: patience,
	})
	if c.Hello.UserID != user {
		t.Fatalf("hello to %q, want %q", c.Hello.UserID, user)
	}
	return c
}
