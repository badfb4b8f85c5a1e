package jwtauth_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/planrooms/planrooms/auth/jwtauth"
)

func TestNewRefusesKeys(t *testing.T) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
	certificate := must(x509.CreateCertificate(rand.Reader, template, template, &rsaKey1().PublicKey, rsaKey1()))
	private := must(x509.MarshalPKCS8PrivateKey(p256Key()))
	public := must(x509.MarshalPKIXPublicKey(&p256Key().PublicKey))
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	x25519 := must(ecdh.X25519().GenerateKey(rand.Reader))
	offCurve := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	even := &rsa.PublicKey{N: rsaKey1().N, E: 65536}
	huge := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 8192, 1), E: 65537}

	tests := []struct {
		name string
		key  jwtauth.Key
		want string
	}{
		{"zero value", jwtauth.Key{}, "is empty"},
		{"no secret", jwtauth.HMAC("", nil), "0 bytes"},
		{"secret of 31 bytes", jwtauth.HMAC("", newSecret(31)), "31 bytes"},
		{"secret is a public key in PEM", jwtauth.HMAC("", publicPEM(rsaKey1())), "PEM, DER"},
		{"secret is a public key in DER", jwtauth.HMAC("", publicDER(rsaKey1())), "PEM, DER"},
		{"secret is a public key in base64", jwtauth.HMAC("", []byte(base64.StdEncoding.EncodeToString(publicDER(rsaKey1()))+"\n")), "PEM, DER"},
		{"secret is a PKCS #1 key", jwtauth.HMAC("", x509.MarshalPKCS1PublicKey(&rsaKey1().PublicKey)), "PEM, DER"},
		{"secret is a certificate", jwtauth.HMAC("", certificate), "PEM, DER"},
		{"secret is an SSH key", jwtauth.HMAC("", []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ann@example")), "PEM, DER"},
		{"secret is a JWK", jwtauth.HMAC("", must(json.Marshal(jwkOf("x", p256Key())))), "PEM, DER"},
		{"RSA nil", jwtauth.RSA("", nil), "nil"},
		{"RSA zero", jwtauth.RSA("", &rsa.PublicKey{}), "nil"},
		{"RSA of 1,024 bits", jwtauth.RSA("", &weakKey().PublicKey), "1024 bits"},
		{"RSA of 8,193 bits", jwtauth.RSA("", huge), "8193 bits"},
		{"RSA with an even exponent", jwtauth.RSA("", even), "malformed"},
		{"RSA with exponent 1", jwtauth.RSA("", &rsa.PublicKey{N: rsaKey1().N, E: 1}), "malformed"},
		{"ECDSA nil", jwtauth.ECDSA("", nil), "nil"},
		{"ECDSA zero", jwtauth.ECDSA("", &ecdsa.PublicKey{}), "nil"},
		{"ECDSA on P-224", jwtauth.ECDSA("", &newECKey(elliptic.P224()).PublicKey), "unsupported curve"},
		{"ECDSA off the curve", jwtauth.ECDSA("", offCurve), "not a point"},
		{"Ed25519 nil", jwtauth.Ed25519("", nil), "0 bytes"},
		{"Ed25519 private key", jwtauth.Ed25519("", ed25519.PublicKey(edKey())), "64 bytes"},
		{"no PEM", jwtauth.PEM("", []byte("hello")), "no PEM block"},
		{"two PEM blocks", jwtauth.PEM("", append(block("PUBLIC KEY", public), publicPEM(rsaKey1())...)), "more than one"},
		{"PEM of a private key", jwtauth.PEM("", block("PRIVATE KEY", private)), "not hold a public key"},
		{"PEM of a certificate", jwtauth.PEM("", block("CERTIFICATE", certificate)), "not hold a public key"},
		{"PEM of a text", jwtauth.PEM("", block("PUBLIC KEY", []byte("hello"))), "malformed"},
		{"PEM of a weak key", jwtauth.PEM("", publicPEM(weakKey())), "1024 bits"},
		{"PEM of an X25519 key", jwtauth.PEM("", block("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(x25519.PublicKey())))), "unsupported type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			good := jwtauth.HMAC("x", secret32())
			_, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{good, test.key}})
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "jwtauth: Options.Keys[1]") {
				t.Errorf("New = %v, want an error with %q", err, test.want)
			}
		})
	}
}

// TestHMACRefusesDERThatEndsInSpace has keys whose last byte looks like a space.
func TestHMACRefusesDERThatEndsInSpace(t *testing.T) {
	for _, last := range []byte(" \n\t") {
		var der []byte
		for len(der) == 0 || der[len(der)-1] != last {
			der = must(x509.MarshalPKIXPublicKey(&newECKey(elliptic.P256()).PublicKey))
		}
		if _, err := jwtauth.New(&jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", der)}}); err == nil {
			t.Errorf("New accepts a public key that ends in %q as a secret", last)
		}
	}
}

func TestPEM(t *testing.T) {
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey1().PublicKey)})
	public := func(key any) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))})
	}
	for _, test := range []struct {
		name, alg string
		text      []byte
		key       any
	}{
		{"PKCS #1", "RS256", pkcs1, rsaKey1()},
		{"RSA", "PS384", append([]byte("\n"), publicPEM(rsaKey1())...), rsaKey1()},
		{"ECDSA", "ES384", public(&p384Key().PublicKey), p384Key()},
		{"Ed25519", "EdDSA", append(public(edPublic()), "\n\n"...), edKey()},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.PEM("k", test.text)}})
			if _, err := v.Verify(t.Context(), token(test.alg, test.key, header(test.alg, "k"), goodClaims())); err != nil {
				t.Errorf("Verify = %v", err)
			}
		})
	}
}

// TestHMACAlgorithms checks that no hash is longer than the secret (RFC 7518, section 3.2).
func TestHMACAlgorithms(t *testing.T) {
	for size, want := range map[int]string{32: "HS256", 47: "HS256", 48: "HS256 HS384", 63: "HS256 HS384", 64: "HS256 HS384 HS512"} {
		secret := newSecret(size)
		v := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret)}})
		kept := newVerifier(t, &jwtauth.Options{Keys: []jwtauth.Key{jwtauth.HMAC("", secret)}})
		var got []string
		for _, alg := range []string{"HS256", "HS384", "HS512"} {
			text := token(alg, secret, header(alg, ""), goodClaims())
			if _, err := v.Verify(t.Context(), text); err == nil {
				got = append(got, alg)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("a secret of %d bytes serves %v, want %v", size, got, want)
		}
		text := token("HS256", secret, header("HS256", ""), goodClaims())
		clear(secret)
		if _, err := kept.Verify(t.Context(), text); err != nil {
			t.Errorf("Verify after the caller has cleared the secret = %v", err)
		}
	}
}

func TestNewRefusesOptions(t *testing.T) {
	keys := []jwtauth.Key{jwtauth.RSA("r1", &rsaKey1().PublicKey)}
	const url = "https://login.example.com/jwks.json"
	tests := []struct {
		name string
		opts *jwtauth.Options
		want string
	}{
		{"nil", nil, "Keys or JWKSURL"},
		{"zero", &jwtauth.Options{}, "Keys or JWKSURL"},
		{"both", &jwtauth.Options{Keys: keys, JWKSURL: url}, "both"},
		{"same ID five times", &jwtauth.Options{Keys: slices.Repeat(keys, 5)}, "Keys[4]: more than 4"},
		{"no ID five times", &jwtauth.Options{Keys: slices.Repeat([]jwtauth.Key{jwtauth.HMAC("", secret32())}, 5)}, "Keys[4]: more than 4"},
		{"unknown algorithm", &jwtauth.Options{Keys: keys, Algorithms: []jwtauth.Algorithm{"none"}}, `"none"`},
		{"algorithm of another type", &jwtauth.Options{Keys: keys, Algorithms: []jwtauth.Algorithm{jwtauth.HS256}}, "Keys[0]"},
		{"secret from a URL", &jwtauth.Options{JWKSURL: url, Algorithms: []jwtauth.Algorithm{jwtauth.HS256}}, "Algorithms"},
		{"http", &jwtauth.Options{JWKSURL: "http://login.example.com/"}, "https"},
		{"http on a name that begins with localhost", &jwtauth.Options{JWKSURL: "http://localhost.example.com/"}, "https"},
		{"http on a private address", &jwtauth.Options{JWKSURL: "http://10.0.0.1/"}, "https"},
		{"file", &jwtauth.Options{JWKSURL: "file:///etc/keys"}, "not a URL"},
		{"file with a host", &jwtauth.Options{JWKSURL: "file://localhost/etc/keys", InsecureHTTP: true}, "https"},
		{"no URL", &jwtauth.Options{JWKSURL: "https://user:marker@[::1"}, "not a URL"},
		{"negative interval", &jwtauth.Options{JWKSURL: url, RefreshInterval: -1}, "negative"},
		{"negative age", &jwtauth.Options{JWKSURL: url, MaxAge: -1}, "negative"},
		{"age below the interval", &jwtauth.Options{JWKSURL: url, MaxAge: time.Minute}, "shorter"},
		{"required claim of another type", &jwtauth.Options{Keys: keys, RequiredClaims: object{"roles": []string{"x"}}}, `"roles"`},
		{"required claim is nil", &jwtauth.Options{Keys: keys, RequiredClaims: object{"x": nil}}, `"x"`},
		{"required claim is NaN", &jwtauth.Options{Keys: keys, RequiredClaims: object{"x": math.NaN()}}, `"x"`},
		{"required claim is infinite", &jwtauth.Options{Keys: keys, RequiredClaims: object{"x": math.Inf(-1)}}, `"x"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := jwtauth.New(test.opts)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "marker") {
				t.Errorf("New = %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestNewAllowsURLs(t *testing.T) {
	for _, o := range []jwtauth.Options{
		{JWKSURL: "https://login.example.com/jwks.json"},
		{JWKSURL: "http://localhost:8080/"},
		{JWKSURL: "http://127.0.0.2/"},
		{JWKSURL: "http://[::1]:8080/"},
		{JWKSURL: "http://login.internal/", InsecureHTTP: true},
		{JWKSURL: "https://x/", HTTPClient: http.DefaultClient, RefreshInterval: 48 * time.Hour},
	} {
		newVerifier(t, &o)
	}
}
