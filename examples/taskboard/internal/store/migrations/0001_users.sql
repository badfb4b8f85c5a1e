-- Times are milliseconds since 1970, UTC. Ids are random texts that are never used again.

CREATE TABLE users (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE, -- in lower case
    name          TEXT NOT NULL,
    password_hash BLOB NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

-- A session is one login in one browser. Its cookie is not kept here, only what it hashes to: who reads this
-- table cannot log in with it.
CREATE TABLE sessions (
    id         TEXT PRIMARY KEY, -- what access tokens name; of no use as a cookie
    token_hash BLOB NOT NULL UNIQUE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- The keys that access tokens are signed with, as PKCS #8. The newest one signs; the others go on verifying until
-- somebody deletes them.
CREATE TABLE signing_keys (
    id          TEXT PRIMARY KEY,
    private_key BLOB NOT NULL,
    created_at  INTEGER NOT NULL
) STRICT;
