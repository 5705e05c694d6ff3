-- The oldest and the newest data key under each key of the keyring are looked at, to find a key that is not the one that
-- they were wrapped under.
DROP INDEX versions_by_key;
CREATE INDEX versions_by_key ON versions (key_id, created_at) WHERE key_id IS NOT NULL;
