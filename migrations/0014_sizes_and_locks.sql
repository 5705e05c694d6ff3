-- How many bytes a value has, so that an answer that would be too large is refused before any value is read. NULL: not
-- known; it is told from the ciphertext, once that is read. In a ciphertext `v2:<iv>:<tag>:` is 43 characters,
-- and the rest base64url without padding.
ALTER TABLE versions ADD COLUMN size INTEGER;
UPDATE versions SET size = (length(ciphertext) - 43) * 3 / 4 WHERE ciphertext IS NOT NULL;

-- A locked secret wins over every narrower scope, where its name cannot be set. `max_lease_seconds` is the longest lease
-- that whoever resolves it may have.
ALTER TABLE secrets ADD COLUMN locked INTEGER NOT NULL DEFAULT 0 CHECK (locked IN (0, 1));
ALTER TABLE secrets ADD COLUMN max_lease_seconds INTEGER;

-- Which names a scope locks is looked up with every write and every resolve.
CREATE INDEX secrets_locked ON secrets (org, scope, name) WHERE locked = 1;

ALTER TABLE guard ADD COLUMN name_unlocked INTEGER CONSTRAINT name_unlocked CHECK (name_unlocked = 1);
