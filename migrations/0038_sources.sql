-- Whether a version has the place of its value in a store outside, and not the value: its ciphertext is that place then. The column
-- "encoding" says utf8 beside it, because it knows that and base64 alone; seals say "source".
ALTER TABLE versions ADD COLUMN is_source INTEGER NOT NULL DEFAULT 0;

DROP TRIGGER versions_update_noted;
CREATE TRIGGER versions_update_noted AFTER UPDATE OF secret_id, version, encoding, key_id, wrapped_key, ciphertext, kv_key, created_at, created_by, legacy_plaintext, size, org, scope_revision, is_json, is_source ON versions WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('versions', json_array(NEW.secret_id, NEW.version));
END;
