-- That a scheduled run came upon a page of the database that cannot be read: what it was doing, and when it was the last time.
CREATE TABLE database_damage (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  job TEXT NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT;
