-- Jobs of scheduled runs that failed because D1 could not read what it has: in how many runs in a row, and when the last time.
CREATE TABLE database_damage (
  job TEXT PRIMARY KEY,
  runs INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
