package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// requests is the client for post and get. Their ctx usually ends earlier; Revoke, which waits for
// other nodes, takes up to some 14 s.
var requests = &http.Client{Timeout: time.Minute}

// post sends a body as JSON, and expects no answer but success.
func post(ctx context.Context, to *url.URL, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", to.String(), bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := requests.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s: %s %s", to.Path, resp.Status, bytes.TrimSpace(text))
	}
	return nil
}

// get asks for JSON.
func get(ctx context.Context, from *url.URL, answer any) error {
	req, err := http.NewRequestWithContext(ctx, "GET", from.String(), nil)
	if err != nil {
		return err
	}
	resp, err := requests.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", from.Path, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}
