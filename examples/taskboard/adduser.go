package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"strings"

	"github.com/planrooms/planrooms/examples/taskboard/internal/store"
)

const maxNameRunes = 64

// addUser adds the user of -add-user. The taskboard has no page for registration.
func addUser(ctx context.Context, c config, stdin io.Reader) (err error) {
	address, err := mail.ParseAddress(c.addUser)
	if err != nil || address.Name == "" {
		return fmt.Errorf(`-add-user %q: want "Name <address>"`, c.addUser)
	}
	if !validText(address.Name, maxNameRunes) {
		return fmt.Errorf("-add-user: a name has 1 to %d characters, without control characters", maxNameRunes)
	}
	line, err := bufio.NewReader(stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	passwords, err := newPasswords(c.passwordCost)
	if err != nil {
		return err
	}
	hash, err := passwords.hash(strings.TrimRight(line, "\r\n"))
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, c.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.CreateUser(ctx, address.Name, address.Address, hash)
	return err
}
