package natsengine

import (
	"net/url"
	"regexp"
	"strings"
)

// userinfo matches the user and password of a URL.
var userinfo = regexp.MustCompile(`://[^\s"]*@`)

// shortest is the length from which on a secret is removed wherever it is. A shorter one would
// match parts of words; it is removed only from URLs.
const shortest = 6

// redact returns an error whose text has no secret of the options. errors.Is and errors.As find the
// same in it.
func (o *Options) redact(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	clean := userinfo.ReplaceAllString(text, "://xxxxx@")
	for _, secret := range o.secrets() {
		clean = strings.ReplaceAll(clean, secret, "xxxxx")
	}
	if clean == text {
		return err
	}
	return &redacted{clean, err}
}

// secrets are the passwords and tokens in the options, without those that are too short.
func (o *Options) secrets() (list []string) {
	add := func(s string) {
		if len(s) >= shortest {
			list = append(list, s, url.QueryEscape(s), url.PathEscape(s))
		}
	}
	add(o.Password)
	add(o.Token)
	for _, s := range o.Servers {
		if u, err := url.Parse(s); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				add(password)
			} else {
				add(u.User.Username()) // a token
			}
		}
	}
	return list
}

type redacted struct {
	text string
	err  error
}

func (e *redacted) Error() string { return e.text }
func (e *redacted) Unwrap() error { return e.err }
