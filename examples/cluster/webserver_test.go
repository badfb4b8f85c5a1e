package main

import (
	"context"
	"errors"
	"testing"
	"time"
)

// shutter is a server or a hub that is shut down.
type shutter func(context.Context) error

func (s shutter) Shutdown(ctx context.Context) error { return s(ctx) }

// A node says goodbye to its clients also if its requests do not end in time.
func TestGoodbyeAfterStuckRequests(t *testing.T) {
	srv := shutter(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	said := false
	hub := shutter(func(ctx context.Context) error { said = ctx.Err() == nil; return ctx.Err() })
	if err := shutDown(srv, hub, time.Millisecond, time.Hour); !errors.Is(err, context.DeadlineExceeded) || !said {
		t.Errorf("error %v, want that of the server; the hub had time: %t", err, said)
	}
	if requestPatience+goodbyePatience >= stopPatience {
		t.Error("a child process is killed before its hub has had its time")
	}
}
