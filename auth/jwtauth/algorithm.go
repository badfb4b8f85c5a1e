package jwtauth

import "slices"

// Algorithm is the name of a signature algorithm in the header of a token (RFC 7518, section 3.1).
type Algorithm string

// The supported algorithms. The list is fixed.
const (
	HS256 Algorithm = "HS256"
	HS384 Algorithm = "HS384"
	HS512 Algorithm = "HS512"
	RS256 Algorithm = "RS256"
	RS384 Algorithm = "RS384"
	RS512 Algorithm = "RS512"
	PS256 Algorithm = "PS256"
	PS384 Algorithm = "PS384"
	PS512 Algorithm = "PS512"
	ES256 Algorithm = "ES256"
	ES384 Algorithm = "ES384"
	ES512 Algorithm = "ES512"
	EdDSA Algorithm = "EdDSA"
)

// secretAlgorithms returns the symmetric algorithms: a key that verifies can also sign.
func secretAlgorithms() []Algorithm { return []Algorithm{HS256, HS384, HS512} }

func rsaAlgorithms() []Algorithm {
	return []Algorithm{RS256, RS384, RS512, PS256, PS384, PS512}
}

// publicAlgorithms returns the asymmetric algorithms, whose keys a URL may publish.
func publicAlgorithms() []Algorithm {
	return append(rsaAlgorithms(), ES256, ES384, ES512, EdDSA)
}

func (a Algorithm) known() bool {
	return slices.Contains(secretAlgorithms(), a) || slices.Contains(publicAlgorithms(), a)
}

// intersect returns the elements of algorithms that are allowed. An empty allowed allows all.
func intersect(algorithms, allowed []Algorithm) []Algorithm {
	if len(allowed) == 0 {
		return algorithms
	}
	var both []Algorithm
	for _, a := range algorithms {
		if slices.Contains(allowed, a) {
			both = append(both, a)
		}
	}
	return both
}
