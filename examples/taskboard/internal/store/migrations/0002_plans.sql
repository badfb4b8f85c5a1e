CREATE TABLE plans (
    id         TEXT PRIMARY KEY,
    title      TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE members (
    plan_id  TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role     TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'viewer')),
    added_at INTEGER NOT NULL,
    PRIMARY KEY (plan_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plans_of_member ON members (user_id);

-- A task's place in its plan is its rank. Ranks grow, and may have holes. Another order is not another version: who edits
-- a title need not care that somebody has moved the task meanwhile.
CREATE TABLE tasks (
    id         TEXT PRIMARY KEY,
    plan_id    TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    rank       INTEGER NOT NULL,
    title      TEXT NOT NULL,
    notes      TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('not_started', 'in_progress', 'completed')),
    assignee   TEXT REFERENCES users (id) ON DELETE SET NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX tasks_in_order ON tasks (plan_id, rank);
CREATE INDEX tasks_of_assignee ON tasks (assignee);
