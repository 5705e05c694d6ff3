-- A list of secrets with which an event would be longer than 4 KiB is beside it, so that a page of events stays small
-- whatever they name. Event and list are one insert, into `audit_entries`; in the event's place for it is `null`.
-- `secrets_total` says how many secrets there are, where the list is beside the event, or names only some of them.
ALTER TABLE audit_events ADD COLUMN secrets_total INTEGER;

CREATE TABLE audit_lists (
  org TEXT NOT NULL,
  seq INTEGER NOT NULL,
  secrets TEXT NOT NULL,
  PRIMARY KEY (org, seq)
) STRICT, WITHOUT ROWID;

CREATE VIEW audit_entries AS
  SELECT org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total FROM audit_events;

CREATE TRIGGER audit_entries_written INSTEAD OF INSERT ON audit_entries
BEGIN
  INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total)
  VALUES (NEW.org, NEW.seq, NEW.at, NEW.actor, NEW.token_id, NEW.action, NEW.outcome,
    CASE WHEN NEW.secrets_total = json_array_length(NEW.secrets) THEN 'null' ELSE NEW.secrets END,
    NEW.target, NEW.request_id, NEW.ip, NEW.user_agent, NEW.version, NEW.finer_outcome, NEW.lease, NEW.secrets_total);
  INSERT INTO audit_lists (org, seq, secrets) SELECT NEW.org, NEW.seq, NEW.secrets WHERE NEW.secrets_total = json_array_length(NEW.secrets);
END;

-- An insert that takes a row's place removes that without asking the triggers below.
CREATE TRIGGER audit_lists_appended BEFORE INSERT ON audit_lists
WHEN EXISTS (SELECT 1 FROM audit_lists l WHERE l.org = NEW.org AND l.seq = NEW.seq)
  OR NOT EXISTS (SELECT 1 FROM audit_events e WHERE e.org = NEW.org AND e.seq = NEW.seq AND e.secrets = 'null')
BEGIN
  SELECT RAISE(ABORT, 'a list can only be added with its audit event');
END;

CREATE TRIGGER audit_lists_unchangeable BEFORE UPDATE ON audit_lists
BEGIN
  SELECT RAISE(ABORT, 'a list of an audit event cannot be changed');
END;

CREATE TRIGGER audit_lists_kept BEFORE DELETE ON audit_lists
WHEN EXISTS (SELECT 1 FROM audit_events e WHERE e.org = OLD.org AND e.seq = OLD.seq)
BEGIN
  SELECT RAISE(ABORT, 'a list can only be removed with its audit event');
END;

CREATE TRIGGER audit_lists_removed AFTER DELETE ON audit_events WHEN OLD.secrets = 'null'
BEGIN
  DELETE FROM audit_lists WHERE org = OLD.org AND seq = OLD.seq;
END;
