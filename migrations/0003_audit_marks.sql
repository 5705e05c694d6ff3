-- How far scheduled work has come in each organization's audit log, and when it last came to it.
CREATE TABLE audit_marks (
  job TEXT NOT NULL,
  org TEXT NOT NULL,
  seq INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  PRIMARY KEY (job, org)
) STRICT, WITHOUT ROWID;
