package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/planrooms/planrooms/protocol"
)

// known compares the tables with package protocol, in both directions, and reports every
// difference.
func known(src *source) error {
	types := slices.Clone(others)
	payloads := slices.Clone(parts)
	for _, m := range slices.Concat(serverMessages, clientMessages) {
		types = append(types, m.typ)
		if m.data != "" && m.data[0] != '{' {
			payloads = append(payloads, m.data)
		}
	}
	for _, e := range events {
		types = append(types, e.typ)
	}
	var typeNames, codeNames, closeNames, payloadNames []string
	for _, t := range types {
		typeNames = append(typeNames, strconv.Quote(string(t)))
	}
	for _, c := range errorCodes {
		codeNames = append(codeNames, strconv.Quote(string(c)))
	}
	for c := range closeCodes {
		closeNames = append(closeNames, strconv.Itoa(int(c)))
	}
	for _, p := range src.payloads {
		payloadNames = append(payloadNames, typeName(p.name))
	}
	return errors.Join(
		compare("message type", values(src, "Type"), typeNames),
		compare("error code", values(src, "ErrorCode"), codeNames),
		compare("close code", values(src, "CloseCode"), closeNames),
		compare("payload", payloadNames, payloads),
	)
}

func compare(what string, declared, listed []string) error {
	var errs []error
	for _, d := range declared {
		if !slices.Contains(listed, d) {
			errs = append(errs, fmt.Errorf("gen: %s %s of package protocol is missing from the tables of gen", what, d))
		}
	}
	for _, l := range listed {
		if !slices.Contains(declared, l) {
			errs = append(errs, fmt.Errorf("gen: %s %s is not in package protocol", what, l))
		}
	}
	return errors.Join(errs...)
}

func values(src *source, typ string) []string {
	var v []string
	for _, c := range src.constants[typ] {
		v = append(v, c.value)
	}
	return v
}

// inGoodbye reports whether a goodbye may carry the close code with this literal.
func inGoodbye(literal string) bool {
	code, err := strconv.ParseUint(literal, 10, 16)
	return err == nil && closeCodes[protocol.CloseCode(code)]
}
