-- Versions whose ciphertext was found not to be in KV, or not to open. The scheduled run looks at them again, and forgets those
-- that are well.
CREATE TABLE lost_values (
  secret_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  org TEXT NOT NULL,
  reason TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (secret_id, version),
  FOREIGN KEY (secret_id, version) REFERENCES versions (secret_id, version) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX lost_values_by_org ON lost_values (org, secret_id, version);
CREATE INDEX lost_values_by_time ON lost_values (seen_at);
