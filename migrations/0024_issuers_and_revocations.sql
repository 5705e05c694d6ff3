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

-- Whether a token was issued before what ends all tokens is asked by every call.
CREATE INDEX revocations_by_issue ON revocations (org, CAST(value AS INTEGER)) WHERE kind = 'before';

-- How many revocations there are of tokens, subjects and times: those of trusts go with the trusts' changes.
ALTER TABLE usage ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;
INSERT INTO usage (org, revocations) SELECT org, COUNT(*) FROM revocations WHERE kind IN ('id', 'subject', 'before') GROUP BY org
  ON CONFLICT (org) DO UPDATE SET revocations = excluded.revocations;

CREATE TRIGGER usage_of_new_revocations AFTER INSERT ON revocations WHEN NEW.kind IN ('id', 'subject', 'before')
BEGIN
  INSERT INTO usage (org, revocations) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET revocations = revocations + 1;
END;

CREATE TRIGGER usage_of_old_revocations AFTER DELETE ON revocations WHEN OLD.kind IN ('id', 'subject', 'before')
BEGIN
  UPDATE usage SET revocations = revocations - 1 WHERE org = OLD.org;
END;

ALTER TABLE guard ADD COLUMN quota_revocations INTEGER CONSTRAINT quota_revocations CHECK (quota_revocations = 1);

-- The ids by which the makers of trusts may be revoked, as `maker` has them: the rows of those tokens stay, and an identity
-- token is not exchanged again once something was made with what it was exchanged for. It follows from `trusts`.
CREATE TABLE trust_makers (
  org TEXT NOT NULL,
  trust TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (org, trust, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX trust_makers_by_id ON trust_makers (org, id);

INSERT INTO trust_makers (org, trust, id)
  SELECT DISTINCT t.org, t.name, m.value ->> 1 FROM trusts t CROSS JOIN json_each(CASE WHEN json_valid(t.maker) THEN t.maker ELSE '{}' END, '$.marks') m
  WHERE m.value ->> 0 = 'id';

CREATE TRIGGER trusts_have_makers AFTER INSERT ON trusts
BEGIN
  INSERT INTO trust_makers (org, trust, id)
    SELECT DISTINCT NEW.org, NEW.name, m.value ->> 1 FROM json_each(CASE WHEN json_valid(NEW.maker) THEN NEW.maker ELSE '{}' END, '$.marks') m
    WHERE m.value ->> 0 = 'id';
END;

CREATE TRIGGER trusts_change_makers AFTER UPDATE OF maker ON trusts WHEN OLD.maker IS NOT NEW.maker
BEGIN
  DELETE FROM trust_makers WHERE org = OLD.org AND trust = OLD.name;
  INSERT INTO trust_makers (org, trust, id)
    SELECT DISTINCT NEW.org, NEW.name, m.value ->> 1 FROM json_each(CASE WHEN json_valid(NEW.maker) THEN NEW.maker ELSE '{}' END, '$.marks') m
    WHERE m.value ->> 0 = 'id';
END;

CREATE TRIGGER trusts_lose_makers AFTER DELETE ON trusts
BEGIN
  DELETE FROM trust_makers WHERE org = OLD.org AND trust = OLD.name;
END;
