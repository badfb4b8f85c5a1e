package jwtauth_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

// A service that issues its own tokens, with a secret that only it knows.
func ExampleHMAC() {
	secret := make([]byte, 32)
	rand.Read(secret)
	verifier, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret)}})
	if err != nil {
		log.Fatal(err)
	}

	// The login of the service, which usually has a library for this:
	encode := base64.RawURLEncoding.EncodeToString
	claims := fmt.Sprintf(`{"sub":"ann","exp":%d}`, time.Now().Add(time.Hour).Unix())
	token := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(claims))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token))
	token += "." + encode(mac.Sum(nil))

	id, err := verifier.Verify(context.Background(), token)
	fmt.Println(id.UserID, err)

	// A password is too short for a secret.
	_, err = jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", []byte("hunter2"))}})
	fmt.Println(err)
	// Output:
	// ann <nil>
	// jwtauth: Options.Keys[0]: secret has 7 bytes, fewer than 32
}

// The public key of the login service is in a file, or in the settings of the host.
func ExamplePEM() {
	key := jwtauth.PEM("2026-01", []byte(`-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----`))
	_, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{key}, Algorithms: []jwtauth.Algorithm{jwtauth.EdDSA}})
	fmt.Println(err)
	// Output:
	// <nil>
}

// A host that keeps a JWK set itself. With Options.JWKSURL a verifier fetches the set.
func ExampleParseSet() {
	keys, err := jwtauth.ParseSet([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","kid":"2026-01","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
		{"kty":"oct","kid":"shared","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}
	]}`))
	fmt.Println(len(keys), err) // a secret does not belong into a set
	_, err = jwtauth.New(&jwtauth.Options{Keys: keys})
	fmt.Println(err)
	// Output:
	// 1 <nil>
	// <nil>
}
