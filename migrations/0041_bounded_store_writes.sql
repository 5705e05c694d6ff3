-- Organizations take turns with what was begun in stores, and each may have so much of it.
CREATE INDEX store_writes_by_org ON store_writes (org, retry_at);
-- Since when scheduled work asks about it; null: nobody has yet.
ALTER TABLE store_writes ADD COLUMN asked_at INTEGER;

ALTER TABLE guard ADD COLUMN store_writes_left INTEGER CONSTRAINT store_writes_left CHECK (store_writes_left = 1);
ALTER TABLE guard ADD COLUMN scope_stores_left INTEGER CONSTRAINT scope_stores_left CHECK (scope_stores_left = 1);
