// Package integrations is the documentation of the folders below: see README.md.
package integrations
