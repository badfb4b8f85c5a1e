package main

import (
	"context"
	"net/http/httputil"
	"testing"
	"testing/synctest"
)

// readyNode is a node that gets clients.
func readyNode(name string) *instance {
	n := newInstance(name, "", nil, nil)
	n.makeReady()
	return n
}

// makeReady does what a health check does.
func (i *instance) makeReady() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.proxy = &httputil.ReverseProxy{}
	i.serving, i.withdraw = context.WithCancel(context.Background())
	i.beginLocked()
}

// At the start, a client waits for the node that it prefers until that is ready, or has ended, or
// for a minute.
func TestPickWaits(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(*instance)
		want    string
	}{
		"ready":   {(*instance).makeReady, "n1"},
		"ended":   {(*instance).ended, "n2"},
		"neither": {nil, "n2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow, other := newInstance("n1", "", nil, nil), readyNode("n2")
				b := newBalancer(func() []*instance { return []*instance{slow, other} })
				picked := make(chan *instance, 1)
				go func() { picked <- b.pick(t.Context(), slow.name) }()
				synctest.Wait()
				select {
				case n := <-picked:
					t.Fatalf("picked %s, although n1 is starting", n.name)
				default:
				}
				if test.happens != nil {
					test.happens(slow)
				}
				if n := <-picked; n.name != test.want {
					t.Errorf("picked %s, want %s", n.name, test.want)
				}
				<-b.started // its timer ends
			})
		})
	}
}
