-- Who issued the token of an event's caller. Events of before do not say: those of versions below 5 have none.
ALTER TABLE audit_events ADD COLUMN issuer TEXT;

DROP TRIGGER audit_entries_written;
DROP VIEW audit_entries;

CREATE VIEW audit_entries AS
  SELECT org, seq, at, actor, token_id, issuer, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total FROM audit_events;

CREATE TRIGGER audit_entries_written INSTEAD OF INSERT ON audit_entries
BEGIN
  INSERT INTO audit_events (org, seq, at, actor, token_id, issuer, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total)
  VALUES (NEW.org, NEW.seq, NEW.at, NEW.actor, NEW.token_id, NEW.issuer, NEW.action, NEW.outcome,
    CASE WHEN NEW.secrets_total = json_array_length(NEW.secrets) THEN 'null' ELSE NEW.secrets END,
    NEW.target, NEW.request_id, NEW.ip, NEW.user_agent, NEW.version, NEW.finer_outcome, NEW.lease, NEW.secrets_total);
  INSERT INTO audit_lists (org, seq, secrets) SELECT NEW.org, NEW.seq, NEW.secrets WHERE NEW.secrets_total = json_array_length(NEW.secrets);
END;
