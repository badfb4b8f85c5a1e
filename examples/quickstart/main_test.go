package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/protocol"
)

// keyFile is a signing key that the tests share, since generating one takes long.
var keyFile string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		panic(err)
	}
	keyFile = filepath.Join(dir, "key.pem")
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		panic(err)
	}
	writeKey(keyFile, key)
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func writeKey(file string, key any) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		panic(err)
	}
}

// server is a quickstart on a free port, and a client of it.
type server struct {
	t   *testing.T
	url string
}

// start runs a quickstart until the end of the test. The test fails if the shutdown fails, or if
// the quickstart logs a warning.
func start(t *testing.T) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, stdoutWriter := io.Pipe()
	var log bytes.Buffer
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, "127.0.0.1:0", keyFile, stdoutWriter, slog.New(slog.NewTextHandler(&log, nil)))
		stdoutWriter.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		for line := range strings.Lines(log.String()) {
			if !strings.Contains(line, "level=INFO") {
				t.Errorf("logged %s", line)
			}
		}
	})
	return &server{t: t, url: firstLine(t, stdout)}
}

// firstLine returns the URL that a quickstart prints.
func firstLine(t *testing.T, stdout io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "listening on ")
	if err != nil || !ok || !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Fatalf("first line %q (%v), want listening on http://HOST:PORT", line, err)
	}
	return url
}

// httpClient keeps no connections: one that was never used would delay a shutdown.
var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

type response struct {
	*http.Response
	body []byte
}

// do makes a request. The headers are pairs of name and value.
func (s *server) do(method, path, token, body string, headers ...string) response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{resp, text}
}

// must makes a request, requires the status, and decodes the answer into v unless v is nil.
func (s *server) must(status int, v any, method, path, token, body string, headers ...string) {
	s.t.Helper()
	resp := s.do(method, path, token, body, headers...)
	if resp.StatusCode != status {
		s.t.Fatalf("%s %s: status %d %s, want %d", method, path, resp.StatusCode, resp.body, status)
	}
	if v == nil {
		return
	}
	if got := resp.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
		s.t.Fatalf("%s %s: Content-Type %q", method, path, got)
	}
	if err := json.Unmarshal(resp.body, v); err != nil {
		s.t.Fatalf("%s %s: %v in %s", method, path, err, resp.body)
	}
}

func (s *server) login(user string) string { return s.loginFor(user, "1h") }

func (s *server) loginFor(user, ttl string) string {
	s.t.Helper()
	var answer struct{ Token string }
	s.must(http.StatusOK, &answer, "POST", "/api/login", "", fmt.Sprintf(`{"user":%q,"ttl":%q}`, user, ttl))
	return answer.Token
}

// planView is a plan as its GET shows it.
type planView struct {
	ID       string
	Position protocol.Position
	Tasks    []task
	Progress progress
}

func (s *server) plan(token string) planView { return s.planCalled("demo", token) }

func (s *server) planCalled(planID, token string) planView {
	s.t.Helper()
	var v planView
	s.must(http.StatusOK, &v, "GET", "/api/plans/"+planID, token, "")
	return v
}

func TestRunFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct{ name, addr, keyFile string }{
		{"address in use", taken.Addr().String(), keyFile},
		{"no address", "nonsense", keyFile},
		{"no key", "127.0.0.1:0", filepath.Join(t.TempDir(), "missing.pem")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout bytes.Buffer
			if err := run(t.Context(), tt.addr, tt.keyFile, &stdout, slog.New(slog.DiscardHandler)); err == nil {
				t.Error("run succeeded")
			}
			if stdout.Len() > 0 {
				t.Errorf("run printed %q", stdout.String())
			}
		})
	}
}

func TestReachable(t *testing.T) {
	tests := []struct{ ip, want string }{
		{"127.0.0.1", "127.0.0.1:80"},
		{"192.0.2.7", "192.0.2.7:80"},
		{"0.0.0.0", "127.0.0.1:80"},
		{"::", "127.0.0.1:80"},
		{"::1", "[::1]:80"},
	}
	for _, tt := range tests {
		if got := reachable(&net.TCPAddr{IP: net.ParseIP(tt.ip), Port: 80}); got != tt.want {
			t.Errorf("reachable(%s) = %q, want %q", tt.ip, got, tt.want)
		}
	}
}
