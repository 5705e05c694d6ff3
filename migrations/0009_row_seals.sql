-- What the Worker goes by carries a seal of the Worker's own: whoever can write here cannot make it release, allow or
-- forget anything. NULL is a row from before there were seals, or one that somebody else has put here.
ALTER TABLE secrets ADD COLUMN seal TEXT;
ALTER TABLE scopes ADD COLUMN seal TEXT;
ALTER TABLE trusts ADD COLUMN seal TEXT;
ALTER TABLE tokens ADD COLUMN seal TEXT;

-- Whether the token itself says what it descends from: those of before do not.
ALTER TABLE tokens ADD COLUMN says_ancestors INTEGER NOT NULL DEFAULT 0;

-- Counts the changes of a trust: tokens are exchanged under one revision, and end with it.
ALTER TABLE trusts ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;

-- What is not in force any more, numbered without gaps within an organization. Nothing here is ever changed, and rows
-- only go from the low end. `value` is, by `kind`: `id` a token's reference; `trust-revision` `trust:<name>#<revision>`;
-- `subject` the JSON array [issuer, subject]; `before` a time in seconds; `floor` the lowest number that is still kept.
CREATE TABLE revocations (
  org TEXT NOT NULL,
  n INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('id', 'trust-revision', 'subject', 'before', 'floor')),
  value TEXT NOT NULL,
  at INTEGER NOT NULL,
  seal TEXT NOT NULL,
  PRIMARY KEY (org, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX revocations_by_value ON revocations (org, kind, value);
CREATE INDEX revocations_by_time ON revocations (at);

CREATE TRIGGER revocations_unchangeable BEFORE UPDATE OF org, n, kind, value, at ON revocations
BEGIN
  SELECT RAISE(ABORT, 'a revocation cannot be changed');
END;

ALTER TABLE guard ADD COLUMN token_unchanged INTEGER CONSTRAINT token_unchanged CHECK (token_unchanged = 1);
ALTER TABLE guard ADD COLUMN revocations_unchanged INTEGER CONSTRAINT revocations_unchanged CHECK (revocations_unchanged = 1);

-- Rows whose seal was found not to be theirs. The scheduled run looks at them again, and forgets those that are well.
CREATE TABLE integrity_failures (
  org TEXT NOT NULL,
  table_name TEXT NOT NULL,
  row_key TEXT NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (org, table_name, row_key)
) STRICT, WITHOUT ROWID;

-- How far the scheduled run has come in looking at the rows of a table.
CREATE TABLE integrity_marks (
  table_name TEXT PRIMARY KEY,
  row_key TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A finer outcome than the two that the column of that name knows: it stands in its place.
ALTER TABLE audit_events ADD COLUMN finer_outcome TEXT CHECK (finer_outcome IN ('not-found', 'failed'));
