package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"
)

// instance is a node as the balancer sees it: a process, its network, and what its last health
// checks have said.
type instance struct {
	name    string
	process *child
	link    *link // to NATS; nil if there is none
	args    []string
	client  *http.Client
	begun   chan struct{} // closed when it is ready, or has ended, for the first time

	mu       sync.Mutex // guards the following
	starting bool
	retired  bool     // it gets no further clients
	url      *url.URL // of the process that runs or ran last
	proxy    *httputil.ReverseProxy
	failures int // health checks in a row without an answer
	report   report
	answered time.Time       // when the report came
	problem  string          // why it gets no clients, or ""
	serving  context.Context // ends when it gets no clients any more
	withdraw context.CancelFunc
}

// The balancer asks each node how it is. Without an answer to so many questions in a row, a node is
// down.
const (
	checkEvery   = 300 * time.Millisecond
	checkTimeout = time.Second
	checkLimit   = 3
)

// nodeHeader names the node in each response through the balancer, for the histories of viewers.
const nodeHeader = "X-Node"

func newInstance(name, log string, l *link, args []string) *instance {
	i := &instance{
		name: name, process: &child{name: name, log: log}, link: l, args: args, problem: "not started",
		begun:  make(chan struct{}),
		client: &http.Client{Timeout: checkTimeout, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	i.serving, i.withdraw = context.WithCancel(context.Background())
	i.withdraw()
	return i
}

// start starts the process. It gets clients when a health check says that it is ready.
func (i *instance) start(ctx context.Context) error {
	i.mu.Lock()
	i.starting = true
	i.mu.Unlock()
	line, err := i.process.start(ctx, i.args, i.ended)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.starting = false
	if err != nil {
		return err
	}
	target, err := url.Parse(line)
	if err != nil {
		return fmt.Errorf("%s has printed %q instead of its URL", i.name, line)
	}
	i.url, i.failures = target, 0
	i.proxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // the node compares the Origin of a page with it
			r.SetXForwarded()
		},
		Transport: &http.Transport{DisableKeepAlives: true},
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set(nodeHeader, i.name)
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the node does not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	return nil
}

// watch checks the health until ctx ends.
func (i *instance) watch(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			i.check(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// check asks the node once.
func (i *instance) check(ctx context.Context) {
	i.mu.Lock()
	target := i.url
	i.mu.Unlock()
	if _, pid := i.process.state(); target == nil || pid == 0 {
		return
	}
	r, err := i.ask(ctx, target)
	i.mu.Lock()
	defer i.mu.Unlock()
	_, pid := i.process.state() // 0 also if ended has been called meanwhile
	switch {
	case pid == 0:
	case i.url != target || ctx.Err() != nil: // it was started again meanwhile
	case i.retired: // it ends the connections itself
	case err != nil:
		if i.failures++; i.failures >= checkLimit {
			i.downLocked("it does not answer")
		}
	case r.NotReady != "":
		i.failures, i.report, i.answered = 0, r, time.Now()
		i.downLocked(r.NotReady)
	default:
		i.failures, i.report, i.answered, i.problem = 0, r, time.Now(), ""
		if i.serving.Err() != nil {
			i.serving, i.withdraw = context.WithCancel(context.Background())
		}
		i.beginLocked()
	}
}

// isReady reports whether the node gets clients.
func (i *instance) isReady() bool {
	_, _, ok := i.target()
	return ok
}

// last returns what the node said last of itself.
func (i *instance) last() report {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.report
}

// beginLocked closes begun.
func (i *instance) beginLocked() {
	select {
	case <-i.begun:
	default:
		close(i.begun)
	}
}

func (i *instance) ask(ctx context.Context, target *url.URL) (r report, err error) {
	req, err := http.NewRequestWithContext(ctx, "GET", target.JoinPath("/cluster").String(), nil)
	if err != nil {
		return r, err
	}
	resp, err := i.client.Do(req)
	if err != nil {
		return r, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return r, errors.New(resp.Status)
	}
	return r, json.NewDecoder(resp.Body).Decode(&r)
}

// ended is called when the process has ended.
func (i *instance) ended() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.beginLocked()
	i.downLocked("its process has ended")
}

// downLocked ends the connections through the balancer: their clients come back on another node.
func (i *instance) downLocked(why string) {
	i.problem = why
	i.withdraw()
}

// target returns where requests go, and a context that ends when they no longer should. ok is false
// if the node should get none.
func (i *instance) target() (proxy *httputil.ReverseProxy, serving context.Context, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.proxy, i.serving, i.proxy != nil && i.serving.Err() == nil && !i.retired
}

// retire keeps further clients away. The connections stay until the process ends them.
func (i *instance) retire() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.retired = true
}

// base returns the URL of the process that runs or ran last.
func (i *instance) base() *url.URL {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.url
}

// close ends the process and the link.
func (i *instance) close() {
	i.process.close()
	if i.link != nil {
		i.link.close()
	}
	i.ended() // also if it has never run
}
