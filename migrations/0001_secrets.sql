-- Times are milliseconds since 1970-01-01 UTC. Text is UTF-8. Binary is base64url without padding, because
-- D1 returns BLOB columns as arrays of numbers.

-- One row per secret. `revision` grows with every change and is what a compare-and-set compares.
CREATE TABLE secrets (
  id TEXT PRIMARY KEY,
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  kind TEXT NOT NULL GENERATED ALWAYS AS (substr(scope, 1, instr(scope || ':', ':') - 1)) VIRTUAL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  description TEXT,
  labels TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  expires_at INTEGER,
  rotate_after_days INTEGER,
  rotated_at INTEGER NOT NULL,
  rotation_due_at INTEGER GENERATED ALWAYS AS (rotated_at + rotate_after_days * 86400000) VIRTUAL,
  last_resolved_at INTEGER
) STRICT;

CREATE UNIQUE INDEX secrets_by_scope ON secrets (org, scope, name);
CREATE INDEX secrets_by_name ON secrets (org, name, scope);
CREATE INDEX secrets_by_kind ON secrets (org, kind, name, scope);
CREATE INDEX secrets_by_expiry ON secrets (org, expires_at, name, scope, id) WHERE expires_at IS NOT NULL;
CREATE INDEX secrets_by_rotation ON secrets (org, rotation_due_at, name, scope, id) WHERE rotation_due_at IS NOT NULL;

-- One row per value that a secret has or had. `ciphertext` is the inline copy; it goes once the copy under
-- `kv_key` has been in KV long enough to be everywhere. A destroyed version keeps its number and nothing else.
CREATE TABLE versions (
  secret_id TEXT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  encoding TEXT NOT NULL CHECK (encoding IN ('utf8', 'base64')),
  key_id TEXT,
  wrapped_key TEXT,
  ciphertext TEXT,
  kv_key TEXT UNIQUE,
  kv_put_at INTEGER,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  PRIMARY KEY (secret_id, version),
  CHECK ((wrapped_key IS NULL) = (key_id IS NULL)),
  CHECK ((wrapped_key IS NULL) = (kv_key IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX versions_inline ON versions (kv_put_at, created_at) WHERE ciphertext IS NOT NULL;
CREATE INDEX versions_by_key ON versions (key_id) WHERE key_id IS NOT NULL;
CREATE INDEX versions_live ON versions (secret_id, version) WHERE kv_key IS NOT NULL;

-- KV keys whose version is gone. The scheduled run deletes them from KV, then from here.
CREATE TABLE kv_removals (
  kv_key TEXT PRIMARY KEY,
  noted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX kv_removals_by_time ON kv_removals (noted_at);

-- No version leaves, by whatever way, before its KV key is noted in the same transaction.
CREATE TRIGGER versions_deleted BEFORE DELETE ON versions
WHEN OLD.kv_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM kv_removals WHERE kv_key = OLD.kv_key)
BEGIN
  SELECT RAISE(ABORT, 'a version is deleted whose KV key is not noted for removal');
END;

CREATE TRIGGER versions_destroyed BEFORE UPDATE OF kv_key ON versions
WHEN OLD.kv_key IS NOT NEW.kv_key AND NOT EXISTS (SELECT 1 FROM kv_removals WHERE kv_key = OLD.kv_key)
BEGIN
  SELECT RAISE(ABORT, 'a version is destroyed whose KV key is not noted for removal');
END;

-- What every write and every release leaves behind. `seq` counts without gaps within an organization.
CREATE TABLE audit_events (
  org TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  token_id TEXT,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('allowed', 'denied')),
  secrets TEXT NOT NULL,
  target TEXT,
  request_id TEXT NOT NULL,
  ip TEXT,
  user_agent TEXT,
  PRIMARY KEY (org, seq)
) STRICT, WITHOUT ROWID;

-- Aborts a batch: D1 does not roll back when a statement changes no row, but does when a constraint fails.
-- Inserting 0 into a column fails the constraint that carries the column's meaning; nothing is ever stored here.
CREATE TABLE guard (
  unchanged INTEGER CONSTRAINT unchanged CHECK (unchanged = 1),
  scope_tree INTEGER CONSTRAINT scope_tree CHECK (scope_tree = 1)
) STRICT;

-- Scopes that are declared or in use: how many secrets each holds, and the scope it lies under.
CREATE TABLE scopes (
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  parent TEXT,
  secrets INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (org, scope)
) STRICT, WITHOUT ROWID;

CREATE INDEX scopes_by_parent ON scopes (org, parent) WHERE parent IS NOT NULL;

CREATE TRIGGER secrets_counted_in AFTER INSERT ON secrets
BEGIN
  INSERT INTO scopes (org, scope, secrets) VALUES (NEW.org, NEW.scope, 1) ON CONFLICT (org, scope) DO UPDATE SET secrets = secrets + 1;
END;

CREATE TRIGGER secrets_counted_out AFTER DELETE ON secrets
BEGIN
  UPDATE scopes SET secrets = secrets - 1 WHERE org = OLD.org AND scope = OLD.scope;
  DELETE FROM scopes WHERE org = OLD.org AND scope = OLD.scope AND secrets = 0 AND parent IS NULL;
END;

-- Labels, so that a list by label reads what it lists.
CREATE TABLE secret_labels (
  org TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  kind TEXT NOT NULL GENERATED ALWAYS AS (substr(scope, 1, instr(scope || ':', ':') - 1)) VIRTUAL,
  secret_id TEXT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  PRIMARY KEY (org, key, value, name, scope)
) STRICT, WITHOUT ROWID;

CREATE INDEX secret_labels_by_kind ON secret_labels (org, key, value, kind, name, scope);
CREATE INDEX secret_labels_by_scope ON secret_labels (org, key, value, scope, name);
CREATE INDEX secret_labels_by_secret ON secret_labels (secret_id);

CREATE TRIGGER secrets_labelled AFTER INSERT ON secrets WHEN NEW.labels <> '{}'
BEGIN
  INSERT INTO secret_labels (org, key, value, name, scope, secret_id) SELECT NEW.org, l.key, l.value, NEW.name, NEW.scope, NEW.id FROM json_each(NEW.labels) l;
END;

CREATE TRIGGER secrets_relabelled AFTER UPDATE OF labels ON secrets WHEN NEW.labels <> OLD.labels
BEGIN
  DELETE FROM secret_labels WHERE secret_id = NEW.id;
  INSERT INTO secret_labels (org, key, value, name, scope, secret_id) SELECT NEW.org, l.key, l.value, NEW.name, NEW.scope, NEW.id FROM json_each(NEW.labels) l;
END;
