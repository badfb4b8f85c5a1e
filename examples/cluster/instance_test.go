package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"testing"
)

// A node whose process ends while it answers a health check gets no clients afterwards.
func TestNodeEndsDuringCheck(t *testing.T) {
	n := newInstance("n1", "", nil, nil)
	n.process.cmd = &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}
	ends := false
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, report{})
		if ends {
			n.process.mu.Lock()
			n.process.cmd = nil
			n.process.mu.Unlock()
			n.ended()
		}
	}))
	defer s.Close()
	var err error
	if n.url, err = url.Parse(s.URL); err != nil {
		t.Fatal(err)
	}
	n.proxy = &httputil.ReverseProxy{}
	n.check(t.Context())
	if !n.isReady() {
		t.Fatal("a node that says that it is ready gets no clients")
	}
	ends = true
	n.check(t.Context())
	if n.isReady() {
		t.Error("a node whose process has ended gets clients")
	}
}
