// Package examples_test holds the README to what it says.
package examples_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// patience ends what hangs; no test waits for it.
const patience = 2 * time.Minute

// blocks returns the Go code of the README: whole programs, and pieces.
func blocks(t *testing.T) (programs, pieces []string) {
	t.Helper()
	readme := read(t, "../README.md")
	fenced := regexp.MustCompile("(?ms)^[ ]*```go\n(.*?)^[ ]*```$")
	for _, m := range fenced.FindAllStringSubmatch(readme, -1) {
		if regexp.MustCompile(`(?m)^package main$`).MatchString(m[1]) {
			programs = append(programs, m[1])
		} else {
			pieces = append(pieces, m[1])
		}
	}
	return programs, pieces
}

// theProgram returns the one program of the README.
func theProgram(t *testing.T) string {
	t.Helper()
	programs, _ := blocks(t)
	if len(programs) != 1 {
		t.Fatalf("the README has %d programs, want 1", len(programs))
	}
	return programs[0]
}

// Every piece of Go in the README stands in an example that is compiled and run.
func TestREADMEPieces(t *testing.T) {
	var examples strings.Builder
	var names []string
	for _, pattern := range []string{"../*/example*_test.go", "../*/*/example*_test.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	for _, name := range names {
		examples.WriteString(unindented(read(t, name)))
	}
	_, pieces := blocks(t)
	if len(pieces) == 0 {
		t.Fatal("the README has no pieces of Go; is the fence understood?")
	}
	for _, piece := range pieces {
		if !strings.Contains(examples.String(), unindented(piece)) {
			t.Errorf("no example has these lines of the README:\n%s", piece)
		}
	}
}

// unindented returns s without the white space that its lines begin with.
func unindented(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimLeft(line, " \t"))
	}
	return b.String()
}

// The program of the README builds in a module of its own, and does what the README says of it.
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
	for _, c := range []*client{ann, bob} {
		c.send(t, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo", Since: &plan.Position})
		var answer protocol.JoinAnswer
		c.next(t, protocol.TypeJoinPlan, &answer)
		if !answer.Recovered {
			t.Errorf("a join since the position of the plan was not recovered: %+v", answer)
		}
	}
	ann.next(t, protocol.TypeJoinPlan, nil) // bob has come
	mallory.send(t, protocol.Request{Type: protocol.TypeJoinPlan, PlanID: "demo"})
	var refused protocol.Error
	mallory.next(t, protocol.TypeError, &refused)
	if refused.Code != protocol.ErrorForbidden {
		t.Errorf("mallory was told %q, want %q", refused.Code, protocol.ErrorForbidden)
	}

	p.call(t, "ann", http.MethodPatch, "/tasks/milk", http.StatusOK, nil)
	ann.next(t, protocol.TypeReceipt, nil)
	var updated struct {
		Task struct {
			Done bool `json:"done"`
		} `json:"task"`
	}
	if m := bob.next(t, protocol.TypeTaskUpdated, &updated); !updated.Task.Done || m.By != "ann" || m.Prev != plan.Position.Seq {
		t.Errorf("bob got %+v %s", m, m.Data)
	}

	if runtime.GOOS == "windows" {
		return // there is no signal to send
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{ann, bob, mallory} {
		var goodbye protocol.Goodbye
		c.next(t, protocol.TypeGoodbye, &goodbye)
		if goodbye.Code != protocol.CloseShutdown {
			t.Errorf("goodbye with %d, want %d", goodbye.Code, protocol.CloseShutdown)
		}
		if code := c.closed(t); code != protocol.CloseShutdown {
			t.Errorf("closed with %d, want %d", code, protocol.CloseShutdown)
		}
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the program ended with %v; stderr: %s", err, p.stderr.String())
	}
}

// program is the program of the README, running.
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

// call makes a request as the user's page does, and decodes the answer into data unless that is nil.
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

// client is a WebSocket connection, read by hand.
type client struct {
	conn net.Conn
	r    *bufio.Reader
}

// dial connects as the user, and reads the hello.
func (p *program) dial(t *testing.T, user string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "GET /ws?client=page-of-%s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", user, p.host, p.host, p.tokens[user])
	if err != nil {
		t.Fatal(err)
	}
	c := &client{conn, bufio.NewReader(conn)}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("%s: %s", user, resp.Status)
	}
	var hello protocol.Hello
	c.next(t, protocol.TypePong, &hello)
	if hello.UserID != user {
		t.Fatalf("hello to %q, want %q", hello.UserID, user)
	}
	return c
}

func (c *client) send(t *testing.T, q protocol.Request) {
	t.Helper()
	message, err := protocol.EncodeRequest(q)
	if err != nil {
		t.Fatal(err)
	}
	frame := []byte{0x81, 0x80 | byte(len(message)), 0, 0, 0, 0} // text of up to 125 bytes, masked with zeros
	if _, err := c.conn.Write(append(frame, message...)); err != nil {
		t.Fatal(err)
	}
}

// next reads the next message, which must be of the type, and decodes its data unless data is nil.
func (c *client) next(t *testing.T, want protocol.Type, data any) protocol.Message {
	t.Helper()
	opcode, payload := c.frame(t)
	m, err := protocol.Decode(payload)
	if err != nil || opcode != 0x1 || m.Type != want {
		t.Fatalf("got frame %#x %q, %v; want %s", opcode, payload, err, want)
	}
	if data != nil {
		if err := json.Unmarshal(m.Data, data); err != nil {
			t.Fatalf("%s: %v", payload, err)
		}
	}
	return m
}

// closed reads the close frame, and answers it.
func (c *client) closed(t *testing.T) protocol.CloseCode {
	t.Helper()
	opcode, payload := c.frame(t)
	if opcode != 0x8 || len(payload) < 2 {
		t.Fatalf("got frame %#x %q, want a close frame", opcode, payload)
	}
	if _, err := c.conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, payload[0], payload[1]}); err != nil {
		t.Fatal(err)
	}
	return protocol.CloseCode(payload[0])<<8 | protocol.CloseCode(payload[1])
}

// frame reads one frame of a server, other than a ping.
func (c *client) frame(t *testing.T) (opcode byte, payload []byte) {
	t.Helper()
	for {
		var header [2]byte
		if _, err := io.ReadFull(c.r, header[:]); err != nil {
			t.Fatal(err)
		}
		length := int(header[1])
		if length == 126 {
			var extended [2]byte
			if _, err := io.ReadFull(c.r, extended[:]); err != nil {
				t.Fatal(err)
			}
			length = int(extended[0])<<8 | int(extended[1])
		}
		payload = make([]byte, length)
		if _, err := io.ReadFull(c.r, payload); err != nil {
			t.Fatal(err)
		}
		if opcode = header[0] & 0xf; opcode != 0x9 {
			return opcode, payload
		}
	}
}
