-- A row on which scheduled work failed is left alone until `retry_at`, so that it keeps no other from being handled.
ALTER TABLE versions ADD COLUMN retry_at INTEGER;
CREATE INDEX versions_set_aside ON versions (retry_at) WHERE retry_at IS NOT NULL;

-- A value as another store had it, until it is encrypted. Nothing of Keyhole's own writes here.
ALTER TABLE versions ADD COLUMN legacy_plaintext TEXT CHECK (legacy_plaintext IS NULL OR wrapped_key IS NULL);
CREATE INDEX versions_legacy ON versions (secret_id, version) WHERE legacy_plaintext IS NOT NULL;

-- Sealed stretches of the audit log. `jws` signs the stretch and names the hash of the checkpoint before it;
-- `row_digests` has the digest of each event, by which the first bad one is found.
CREATE TABLE audit_checkpoints (
  org TEXT NOT NULL,
  number INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  first_at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  row_digests TEXT NOT NULL,
  jws TEXT NOT NULL,
  PRIMARY KEY (org, number),
  CHECK (first_seq <= last_seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_checkpoints_by_time ON audit_checkpoints (org, last_at);

-- How far retention has come in each organization's log. `jws` says the same, signed: whoever can write here cannot
-- pass a removal of their own off as retention.
CREATE TABLE audit_retention (
  org TEXT PRIMARY KEY,
  removed_to INTEGER NOT NULL,
  jws TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Which events name a secret, for as much of the log as the scheduled run has gone through.
CREATE TABLE audit_by_secret (
  org TEXT NOT NULL,
  secret_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (org, secret_id, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_secret_by_seq ON audit_by_secret (org, seq);

CREATE TRIGGER audit_events_unchangeable BEFORE UPDATE ON audit_events
BEGIN
  SELECT RAISE(ABORT, 'an audit event cannot be changed');
END;

CREATE TRIGGER audit_events_kept BEFORE DELETE ON audit_events
WHEN NOT EXISTS (SELECT 1 FROM audit_retention r WHERE r.org = OLD.org AND OLD.seq <= r.removed_to)
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be removed by retention');
END;

CREATE TRIGGER audit_checkpoints_unchangeable BEFORE UPDATE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint cannot be changed');
END;

CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint cannot be removed');
END;
