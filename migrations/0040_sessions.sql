-- People who are logged into the console. `hash` is the SHA-256 of the secret that only the browser has; who they are, what they may and
-- until when is in `sealed`, encrypted and bound to the hash.
CREATE TABLE sessions (
  hash TEXT PRIMARY KEY NOT NULL,
  org TEXT NOT NULL,
  sealed TEXT NOT NULL,
  idle_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_idle ON sessions (idle_until);

-- Codes that log somebody in once: whoever takes one deletes it. `hash` is the SHA-256 of the code.
CREATE TABLE login_codes (
  hash TEXT PRIMARY KEY NOT NULL,
  sealed TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX login_codes_by_expiry ON login_codes (expires_at);
