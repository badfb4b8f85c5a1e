package store

import (
	"context"
	"database/sql"
)

// SigningKey is a private key with its ID.
type SigningKey struct {
	ID         string
	PrivateKey []byte // PKCS #8
}

// SigningKeys returns the keys, the newest first. If there are none, it calls generate and stores
// the result.
func (s *Store) SigningKeys(ctx context.Context, generate func() (SigningKey, error)) ([]SigningKey, error) {
	var keys []SigningKey
	err := s.update(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, private_key FROM signing_keys ORDER BY created_at DESC, id")
		keys, err = all(rows, err, func(rows *sql.Rows, k *SigningKey) error { return rows.Scan(&k.ID, &k.PrivateKey) })
		if err != nil || len(keys) > 0 {
			return err
		}
		k, err := generate()
		if err != nil {
			return err
		}
		keys = append(keys, k)
		_, err = tx.ExecContext(ctx, "INSERT INTO signing_keys (id, private_key, created_at) VALUES (?, ?, ?)", k.ID, k.PrivateKey, now())
		return err
	})
	return keys, err
}
