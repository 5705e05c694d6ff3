-- A trust that people log in by, in the console: what its client is, as JSON. NULL for a trust whose tokens are exchanged.
ALTER TABLE trusts ADD COLUMN login TEXT;

-- Programs that wait for somebody to let them in (RFC 8628). `hash` and `user_hash` are hashes of the two codes; who asks from where, and what was
-- decided, is in `sealed`, encrypted and bound to `hash`.
CREATE TABLE device_requests (
  hash TEXT PRIMARY KEY NOT NULL,
  user_hash TEXT NOT NULL UNIQUE,
  network TEXT NOT NULL,
  sealed TEXT NOT NULL,
  -- 1 once it is decided.
  decided INTEGER NOT NULL DEFAULT 0,
  -- When it may ask again, and how long it has to wait from one time to the next, in milliseconds.
  ask_at INTEGER NOT NULL,
  pause INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX device_requests_by_network ON device_requests (network);
CREATE INDEX device_requests_by_expiry ON device_requests (expires_at);
