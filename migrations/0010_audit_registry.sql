-- What the scheduled run notes for itself about the audit log: when it last ran and which retention is in force, what it
-- last put into the registry and what it found there. `jws` signs it.
CREATE TABLE audit_statements (
  name TEXT PRIMARY KEY,
  jws TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Restores of an organization's log that an operator has accepted. `jws` signs each and links it into the chain of
-- checkpoints: the next one has the number after `number`, and events go on after `lost_seq`.
CREATE TABLE audit_generations (
  org TEXT NOT NULL,
  generation INTEGER NOT NULL,
  number INTEGER NOT NULL,
  lost_seq INTEGER NOT NULL,
  jws TEXT NOT NULL,
  PRIMARY KEY (org, generation),
  CHECK (generation > 1)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_heads_by_time ON audit_heads (tried_at);

CREATE TRIGGER audit_generations_unchangeable BEFORE UPDATE ON audit_generations
BEGIN
  SELECT RAISE(ABORT, 'a generation cannot be changed');
END;

CREATE TRIGGER audit_generations_kept BEFORE DELETE ON audit_generations
BEGIN
  SELECT RAISE(ABORT, 'a generation cannot be removed');
END;

-- INSERT OR REPLACE removes a row without asking the triggers above.
CREATE TRIGGER audit_generations_appended BEFORE INSERT ON audit_generations
WHEN NEW.generation <= COALESCE((SELECT MAX(g.generation) FROM audit_generations g WHERE g.org = NEW.org), 1)
BEGIN
  SELECT RAISE(ABORT, 'a generation can only be added at the end');
END;

DROP TRIGGER IF EXISTS audit_events_appended;
CREATE TRIGGER audit_events_appended BEFORE INSERT ON audit_events
WHEN NEW.seq <> COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = NEW.org), 0) + 1
  AND NEW.seq <> MAX(COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = NEW.org), 0), COALESCE((SELECT MAX(g.lost_seq) FROM audit_generations g WHERE g.org = NEW.org), 0)) + 1
BEGIN
  SELECT RAISE(ABORT, 'an audit event can only be added at the end');
END;

DROP TRIGGER IF EXISTS audit_checkpoints_appended;
CREATE TRIGGER audit_checkpoints_appended BEFORE INSERT ON audit_checkpoints
WHEN NEW.number <> MAX(COALESCE((SELECT MAX(k.number) FROM audit_checkpoints k WHERE k.org = NEW.org), 0), COALESCE((SELECT MAX(g.number) FROM audit_generations g WHERE g.org = NEW.org), 0)) + 1
BEGIN
  SELECT RAISE(ABORT, 'a checkpoint can only be added at the end');
END;
