-- Tokens that Keyhole issued, by their `jti`. The tokens themselves are not stored. `parent_id` is the `jti` of the
-- token that minted this one, or `trust:<name>` where it was exchanged: revoking a parent revokes what came of it.
CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  parent_id TEXT,
  label TEXT NOT NULL,
  permissions TEXT NOT NULL,
  secret_scopes TEXT,
  secret_names TEXT,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

CREATE INDEX tokens_by_org ON tokens (org, created_at, id);
CREATE INDEX tokens_by_parent ON tokens (org, parent_id);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- Whose identity tokens are exchanged, for what. Lists are JSON arrays, `claims` is a JSON object.
CREATE TABLE trusts (
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  issuer TEXT NOT NULL,
  audience TEXT NOT NULL,
  claims TEXT NOT NULL,
  permissions TEXT NOT NULL,
  secret_scopes TEXT,
  secret_names TEXT,
  expires_in INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE guard ADD COLUMN token_in_force INTEGER CONSTRAINT token_in_force CHECK (token_in_force = 1);
