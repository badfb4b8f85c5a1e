-- A person becomes a member of a plan by accepting an invitation. Only then does the plan count among
-- theirs.
CREATE TABLE invitations (
    plan_id    TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role       TEXT NOT NULL CHECK (role IN ('editor', 'viewer')),
    invited_by TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    invited_at INTEGER NOT NULL,
    PRIMARY KEY (plan_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX invitations_of_user ON invitations (user_id, invited_by);
CREATE INDEX invitations_by_user ON invitations (invited_by);

-- A deleted task is kept for a while, so that its deletion can be undone.
CREATE TABLE deleted_tasks (
    id         TEXT PRIMARY KEY,
    plan_id    TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    rank       INTEGER NOT NULL,
    title      TEXT NOT NULL,
    notes      TEXT NOT NULL,
    status     TEXT NOT NULL,
    assignee   TEXT REFERENCES users (id) ON DELETE SET NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL
) STRICT;

CREATE INDEX deleted_tasks_by_time ON deleted_tasks (deleted_at);
CREATE INDEX deleted_tasks_of_plan ON deleted_tasks (plan_id);
CREATE INDEX deleted_tasks_of_assignee ON deleted_tasks (assignee);
