-- A value as another store had it gets its first KV key when it is encrypted: that destroys nothing.
DROP TRIGGER versions_destroyed;

CREATE TRIGGER versions_destroyed BEFORE UPDATE OF kv_key ON versions
WHEN OLD.kv_key IS NOT NULL AND OLD.kv_key IS NOT NEW.kv_key AND NOT EXISTS (SELECT 1 FROM kv_removals WHERE kv_key = OLD.kv_key)
BEGIN
  SELECT RAISE(ABORT, 'a version is destroyed whose KV key is not noted for removal');
END;
