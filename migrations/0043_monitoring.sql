-- How many audit events there were, counted by the scheduled run as it goes through the log: a scrape reads these rows and no
-- events. `kind` says of what, `n` only grows; a restored deployment begins anew.
CREATE TABLE event_counts (
  org TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (org, kind, action, outcome)
) STRICT, WITHOUT ROWID;
