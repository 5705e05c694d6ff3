-- Which kind of value a version has, or that it is destroyed: said here, so that no reader tells it by which columns
-- are NULL. D1 computes it, so it cannot disagree with the columns, rows of before have it, and what was written to put
-- rows here needs to know nothing of it. A version without a sealed value has no inline ciphertext either.
ALTER TABLE versions ADD COLUMN kind TEXT NOT NULL GENERATED ALWAYS AS (
  CASE WHEN kv_key IS NOT NULL THEN 'sealed' WHEN legacy_plaintext IS NOT NULL THEN 'plaintext' ELSE 'destroyed' END
) VIRTUAL CHECK (kind = 'sealed' OR ciphertext IS NULL);
