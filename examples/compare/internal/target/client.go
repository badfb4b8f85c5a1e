package target

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client observes a target from another process. It is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// NewClient returns a client of the target at addr. Each of its calls fails after within.
func NewClient(addr string, within time.Duration) *Client {
	return &Client{"http://" + addr, &http.Client{Timeout: within, Transport: &http.Transport{}}}
}

// Close gives up the connections that are kept.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Stats returns what the target has used so far.
func (c *Client) Stats(ctx context.Context) (s Stats, err error) {
	err = c.do(ctx, http.MethodGet, "/stats", nil, &s)
	return s, err
}

// Collect has the target collect its garbage and return memory to the system.
func (c *Client) Collect(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/collect", nil, nil)
}

// Calls has the target publish without requests and measure how long that takes.
func (c *Client) Calls(ctx context.Context, p CallPlan) (calls Calls, err error) {
	body, err := json.Marshal(p)
	if err != nil {
		return Calls{}, err
	}
	err = c.do(ctx, http.MethodPost, "/calls", bytes.NewReader(body), &calls)
	return calls, err
}

// Verify measures what it costs the target to verify a token.
func (c *Client) Verify(ctx context.Context, token string) (cost VerifyCost, err error) {
	err = c.do(ctx, http.MethodPost, "/verify", strings.NewReader(token), &cost)
	return cost, err
}

// StartProfile begins a CPU profile of the target in a file.
func (c *Client) StartProfile(ctx context.Context, file string) error {
	return c.do(ctx, http.MethodPost, "/profile?file="+url.QueryEscape(file), nil, nil)
}

// StopProfile ends the profile.
func (c *Client) StopProfile(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/profile", nil, nil)
}

// do decodes the answer into into, unless that is nil.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("target: %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("target: %s: %s: %s", path, resp.Status, bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("target: %s: %w", path, err)
	}
	return nil
}
