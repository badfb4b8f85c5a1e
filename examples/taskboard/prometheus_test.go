package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// prometheusFile returns the path of an installed program of Prometheus. Without it the test is
// skipped, unless the environment has PROMETHEUS_REQUIRED=1.
func prometheusFile(t *testing.T, name string) string {
	t.Helper()
	file, err := exec.LookPath(name)
	if err != nil && os.Getenv("PROMETHEUS_REQUIRED") != "" {
		t.Fatalf("%v: PROMETHEUS_REQUIRED is set, install Debian's package prometheus", err)
	}
	if err != nil {
		t.Skipf("%v: install Debian's package prometheus", err)
	}
	return file
}

// serveWithMetrics runs the program until the end of the test. It returns the board, and the
// address of /metrics.
func serveWithMetrics(t *testing.T) (b *board, metrics string) {
	t.Helper()
	c := cheap()
	c.addr, c.metrics, c.db = "127.0.0.1:0", "127.0.0.1:0", filepath.Join(t.TempDir(), "board.db")
	ctx, stop := context.WithCancel(t.Context())
	log := &logBuffer{}
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, c, in, log)
		in.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v\n%s", err, log)
	}
	said := regexp.MustCompile(`serving metrics" url=(\S+)`).FindStringSubmatch(log.String())
	if said == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", log)
	}
	return &board{t: t, url: strings.TrimSpace(strings.TrimPrefix(line, "listening on "))}, said[1]
}

// scraper is a Prometheus server that scrapes one target.
type scraper struct {
	t   *testing.T
	url string
}

// startPrometheus runs Prometheus on loopback, with its data in a temporary folder, until the end
// of the test.
func startPrometheus(t *testing.T, target string) *scraper {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	text := "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n" +
		"scrape_configs: [{job_name: taskboard, static_configs: [{targets: ['" + u.Host + "']}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), prometheusFile(t, "prometheus"),
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address=127.0.0.1:0")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // this process alone
		<-drained
		_ = cmd.Wait()
	})
	address := make(chan string, 1)
	var log strings.Builder
	go func() { // ends with the process
		defer close(drained)
		defer close(address)
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			log.WriteString(lines.Text() + "\n")
			if m := regexp.MustCompile(`msg="Listening on" address=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
				select {
				case address <- m[1]:
				default:
				}
			}
		}
	}()
	host, ok := <-address
	if !ok {
		t.Fatalf("prometheus does not listen:\n%s", &log)
	}
	return &scraper{t, "http://" + host}
}

// query returns the values of an expression now, by their labels.
func (p *scraper) query(expr string) (values []string, ok bool) {
	p.t.Helper()
	resp, err := httpClient.Get(p.url + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Status, Error string
		Data          struct{ Result []struct{ Value []any } }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		p.t.Fatal(err)
	}
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable:
		return nil, false // it is starting
	case answer.Status != "success":
		p.t.Fatalf("query %s: %s", expr, answer.Error)
	}
	for _, r := range answer.Data.Result {
		values = append(values, r.Value[1].(string))
	}
	return values, len(values) > 0
}

// await looks until an expression has a value.
func (p *scraper) await(expr string) []string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if values, ok := p.query(expr); ok {
			return values
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			up, _ := p.query("up")
			p.t.Fatalf("no value of %s; up is %s", expr, up)
		}
	}
}

// A real Prometheus scrapes /metrics and answers with what has happened. It also understands each
// expression of the dashboard.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	prometheusFile(t, "prometheus")
	b, metrics := serveWithMetrics(t)
	p := startPrometheus(t, metrics)

	ada := b.login(ada)
	plan := b.plan(ada, "Launch week")
	v := b.join(ada, "tab", plan)
	b.must(http.StatusCreated, nil, "POST", "/api/plans/"+plan.ID+"/tasks", ada, `{"title":"Count this"}`)
	v.event("task-created", plan.Position.Seq)
	b.must(http.StatusUnauthorized, nil, "GET", "/ws", nil, "",
		"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")

	for _, expr := range []string{
		`planrooms_connections{job="taskboard"} == 1`,
		`planrooms_joins_total{recovered="true"} == 1`, // from the position of the plan
		`planrooms_broadcasts_total == 2`,              // the task, and the progress of the plan
		`planrooms_delivery_lag_seconds_count >= 1`,
		`planrooms_refusals_total{reason="no_token"} == 1`,
		`go_goroutines > 1`,
	} {
		p.await(expr)
	}
	if got := p.await("planrooms_users"); len(got) != 1 || got[0] != "1" {
		t.Errorf("planrooms_users is %q, want 1", got)
	}

	for _, expr := range dashboardExpressions(t) {
		// What is compared has no value if the comparison is false.
		if strings.Contains(expr, " > 0") || strings.Contains(expr, " == 1") {
			p.query(expr)
		} else {
			p.await(expr)
		}
	}
}

// dashboardExpressions returns the expressions of the Grafana dashboard, with its variables set.
func dashboardExpressions(t *testing.T) (expressions []string) {
	t.Helper()
	file, err := os.ReadFile("../../room/metrics/grafana/planrooms.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(file, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expressions = append(expressions, strings.NewReplacer(
				"$__rate_interval", "1m", "$job", "taskboard", "$instance", ".*").Replace(target.Expr))
		}
	}
	if len(expressions) < 20 {
		t.Fatalf("the dashboard has %d expressions", len(expressions))
	}
	return expressions
}

// promtool finds no fault in what is scraped.
func TestPromtool(t *testing.T) {
	t.Parallel()
	file := prometheusFile(t, "promtool")
	_, metrics := serveWithMetrics(t)
	resp, err := httpClient.Get(metrics)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Contains(text, []byte("\nplanrooms_connections 0\n")) {
		t.Fatalf("%v in %s", err, text)
	}
	cmd := exec.CommandContext(t.Context(), file, "check", "metrics")
	cmd.Stdin = bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

// The public address does not serve the metrics.
func TestMetricsAreNotPublic(t *testing.T) {
	t.Parallel()
	b, metrics := serveWithMetrics(t)
	if got := b.do("GET", "/metrics", nil, ""); got.StatusCode == http.StatusOK && bytes.Contains(got.body, []byte("planrooms_")) {
		t.Errorf("status %d: %.200s", got.StatusCode, got.body)
	}
	if strings.HasPrefix(metrics, b.url) {
		t.Errorf("the metrics are at %s, and the board at %s", metrics, b.url)
	}
}

// An address for the metrics that is in use ends the start.
func TestMetricsAddressInUse(t *testing.T) {
	t.Parallel()
	b := start(t)
	c := cheap()
	c.addr, c.metrics, c.db = "127.0.0.1:0", strings.TrimPrefix(b.url, "http://"), filepath.Join(t.TempDir(), "board.db")
	var stdout strings.Builder
	if err := run(t.Context(), c, &stdout, &logBuffer{}); err == nil || stdout.Len() > 0 {
		t.Errorf("run: %v, stdout %q", err, &stdout)
	}
}
