package jwtauth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

const (
	fetchTimeout = 10 * time.Second
	maxSetBytes  = 1 << 20
	maxRedirects = 3
)

// fetcher fetches a key set over HTTP. It is immutable.
type fetcher struct {
	url        string
	client     *http.Client
	algorithms []Algorithm // the allowed ones; empty: all
}

func newFetcher(o *Options) fetcher {
	var client http.Client
	if o.HTTPClient != nil {
		client = *o.HTTPClient
	} else {
		// Fetches are minutes apart, and an idle connection would keep two goroutines.
		client.Transport = &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSHandshakeTimeout: fetchTimeout,
			ForceAttemptHTTP2:   true,
			DisableKeepAlives:   true,

			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	next, insecure := client.CheckRedirect, o.InsecureHTTP
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if !allowedURL(req.URL, insecure) {
			return errors.New("redirect to a URL that is not https")
		}
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		if next != nil {
			return next(req, via)
		}
		return nil
	}
	return fetcher{url: o.JWKSURL, client: &client, algorithms: o.Algorithms}
}

// fetch returns the usable keys of the set. Its errors do not quote the URL, which may contain a
// password.
func (f fetcher) fetch(ctx context.Context) (keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	document, err := f.get(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := ParseSet(document)
	if err != nil {
		return nil, err
	}
	var set keySet
	for _, k := range keys {
		if k.algorithms = intersect(k.algorithms, f.algorithms); len(k.algorithms) > 0 {
			set = append(set, k)
		}
	}
	if len(set) == 0 {
		return nil, errors.New("key set has no key for the allowed algorithms")
	}
	return set, nil
}

func (f fetcher) get(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, errors.New("malformed URL")
	}
	req.Header.Set("Accept", "application/jwk-set+json, application/json")
	// A stored response of a cache could lack a key that was published before the fetch.
	req.Header.Set("Cache-Control", "no-cache")
	resp, err := f.client.Do(req)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("fetch key set: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch key set: status %d", resp.StatusCode)
	}
	// The limit applies to the decompressed body.
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxSetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("fetch key set: %w", err)
	}
	if len(body) > maxSetBytes {
		return nil, fmt.Errorf("fetch key set: more than %d bytes", maxSetBytes)
	}
	return body, nil
}
