package target

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/planrooms/planrooms/examples/compare/internal/machine"
)

// verifies is an implementation whose connections come with a token.
type verifies interface{ Verify(token string) error }

// VerifyCost is what it takes to verify one token, measured alone in this process.
type VerifyCost struct {
	Verifier  time.Duration `json:"verifier"`  // all of it
	Signature time.Duration `json:"signature"` // the signature alone, by the standard library
}

const (
	verifyWarm  = 200
	verifyCount = 4000
	maxToken    = 8 << 10
)

// verify answers with a zero cost if the implementation takes no tokens.
func (t *Target) verify(w http.ResponseWriter, r *http.Request) {
	v, ok := t.server.(verifies)
	if !ok {
		reply(w, VerifyCost{})
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxToken))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	token := string(body)
	var c VerifyCost
	if c.Verifier, err = cpuOf(func() error { return v.Verify(token) }); err == nil {
		c.Signature, err = cpuOf(func() error { return t.checkSignature(token) })
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, c)
}

func (t *Target) checkSignature(token string) error {
	i := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	if err != nil {
		return err
	}
	if i < 0 || !ed25519.Verify(t.key, []byte(token[:i]), signature) {
		return errors.New("target: invalid signature")
	}
	return nil
}

// cpuOf returns the CPU time that a call takes on the average.
func cpuOf(call func() error) (time.Duration, error) {
	for range verifyWarm {
		if err := call(); err != nil {
			return 0, err
		}
	}
	before, err := machine.SelfCPU()
	if err != nil {
		return 0, err
	}
	for range verifyCount {
		if err := call(); err != nil {
			return 0, err
		}
	}
	after, err := machine.SelfCPU()
	return (after - before) / verifyCount, err
}
