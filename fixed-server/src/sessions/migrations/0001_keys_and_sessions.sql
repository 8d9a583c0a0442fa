-- One text for SQLite and PostgreSQL. Times are milliseconds since 1970.

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    -- The first digits of the hash: what a key is looked up by.
    prefix TEXT NOT NULL,
    -- SHA-256 of the key, in hexadecimal digits.
    hash TEXT NOT NULL UNIQUE,
    created_ms BIGINT NOT NULL,
    revoked_ms BIGINT
);
CREATE INDEX keys_by_prefix ON keys (prefix);
-- A name may come again once its key was revoked.
CREATE UNIQUE INDEX keys_by_name ON keys (name) WHERE revoked_ms IS NULL;

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    -- What the client calls it: X-Session-ID.
    name TEXT NOT NULL,
    -- Null for calls that need no key.
    key_id TEXT REFERENCES keys (id),
    created_ms BIGINT NOT NULL,
    last_used_ms BIGINT NOT NULL,
    calls BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_by_name ON sessions (name, COALESCE(key_id, ''));

CREATE TABLE results (
    session_id TEXT NOT NULL REFERENCES sessions (id),
    request_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    model TEXT,
    prompt_tokens BIGINT,
    completion_tokens BIGINT,
    duration_ms BIGINT NOT NULL,
    ended_ms BIGINT NOT NULL
);
CREATE INDEX results_by_session ON results (session_id, ended_ms);
