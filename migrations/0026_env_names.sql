-- One scope holds one secret of an environment name (`db-password` and `DB_PASSWORD` become the same variable): a write that
-- would make a second one is refused, and this index finds the first.
CREATE INDEX secrets_by_env_name ON secrets (org, scope, upper(replace(replace(name, '-', '_'), '.', '_')), name) WHERE deleted_at IS NULL;

ALTER TABLE guard ADD COLUMN env_name_free INTEGER CONSTRAINT env_name_free CHECK (env_name_free = 1);

-- Environment names that secrets of one scope shared before, or share because somebody has written a row by other ways.
-- Whoever counts them looks whether they still do, so nothing is taken from here.
CREATE TABLE shared_env_names (
  org TEXT NOT NULL,
  scope TEXT NOT NULL,
  env_name TEXT NOT NULL,
  PRIMARY KEY (org, scope, env_name)
) STRICT, WITHOUT ROWID;

INSERT INTO shared_env_names
  SELECT org, scope, upper(replace(replace(name, '-', '_'), '.', '_')) FROM secrets WHERE deleted_at IS NULL GROUP BY 1, 2, 3 HAVING COUNT(*) > 1;

CREATE TRIGGER env_names_shared AFTER INSERT ON secrets
WHEN (SELECT COUNT(*) FROM secrets s WHERE s.org = NEW.org AND s.scope = NEW.scope AND s.deleted_at IS NULL
  AND upper(replace(replace(s.name, '-', '_'), '.', '_')) = upper(replace(replace(NEW.name, '-', '_'), '.', '_'))) > 1
BEGIN
  INSERT OR IGNORE INTO shared_env_names VALUES (NEW.org, NEW.scope, upper(replace(replace(NEW.name, '-', '_'), '.', '_')));
END;
