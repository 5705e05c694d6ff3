-- How much an organization has, kept by triggers, so that a write is compared with its quota and counts nothing. `bytes` are
-- those of the values of all versions that are kept, `tokens` those that were minted: exchanged ones go by themselves.
-- `writes` are those of the minute that `minute` numbers, `refused` the events of refused calls, and `listed` the bytes of
-- lists beside events. `before` is what a write has found, so that one that adds nothing is not refused.
CREATE TABLE usage (
  org TEXT PRIMARY KEY,
  secrets INTEGER NOT NULL DEFAULT 0,
  versions INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  scopes INTEGER NOT NULL DEFAULT 0,
  tokens INTEGER NOT NULL DEFAULT 0,
  trusts INTEGER NOT NULL DEFAULT 0,
  minute INTEGER NOT NULL DEFAULT 0,
  writes INTEGER NOT NULL DEFAULT 0,
  before TEXT NOT NULL DEFAULT '{}',
  refused_minute INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  listed_minute INTEGER NOT NULL DEFAULT 0,
  listed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO usage (org, secrets, versions, bytes)
  SELECT s.org, COUNT(DISTINCT s.id), COUNT(v.version), COALESCE(SUM(v.size), 0)
  FROM secrets s LEFT JOIN versions v ON v.secret_id = s.id AND v.kind <> 'destroyed' GROUP BY s.org;
INSERT INTO usage (org, scopes) SELECT org, COUNT(*) FROM scopes WHERE parent IS NOT NULL GROUP BY org
  ON CONFLICT (org) DO UPDATE SET scopes = excluded.scopes;
INSERT INTO usage (org, tokens) SELECT org, COUNT(*) FROM tokens WHERE COALESCE(parent_id, '') NOT LIKE 'trust:%' GROUP BY org
  ON CONFLICT (org) DO UPDATE SET tokens = excluded.tokens;
INSERT INTO usage (org, trusts) SELECT org, COUNT(*) FROM trusts WHERE true GROUP BY org
  ON CONFLICT (org) DO UPDATE SET trusts = excluded.trusts;

CREATE TRIGGER usage_of_new_secrets AFTER INSERT ON secrets
BEGIN
  INSERT INTO usage (org, secrets) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET secrets = secrets + 1;
END;

-- Its versions go with it, and then nothing says any more whose they were.
CREATE TRIGGER usage_of_old_secrets BEFORE DELETE ON secrets
BEGIN
  UPDATE usage SET (secrets, versions, bytes) = (
    SELECT usage.secrets - 1, usage.versions - COUNT(*), usage.bytes - COALESCE(SUM(v.size), 0) FROM versions v WHERE v.secret_id = OLD.id AND v.kind <> 'destroyed')
  WHERE org = OLD.org;
END;

CREATE TRIGGER usage_of_new_versions AFTER INSERT ON versions
BEGIN
  UPDATE usage SET versions = versions + 1, bytes = bytes + COALESCE(NEW.size, 0) WHERE org = (SELECT s.org FROM secrets s WHERE s.id = NEW.secret_id);
END;

CREATE TRIGGER usage_of_old_versions AFTER UPDATE OF wrapped_key, legacy_plaintext, size ON versions
WHEN OLD.kind <> NEW.kind OR OLD.size IS NOT NEW.size
BEGIN
  UPDATE usage SET versions = versions + (NEW.kind <> 'destroyed') - (OLD.kind <> 'destroyed'),
    bytes = bytes + IIF(NEW.kind <> 'destroyed', COALESCE(NEW.size, 0), 0) - IIF(OLD.kind <> 'destroyed', COALESCE(OLD.size, 0), 0)
  WHERE org = (SELECT s.org FROM secrets s WHERE s.id = NEW.secret_id);
END;

CREATE TRIGGER usage_of_new_links AFTER INSERT ON scopes WHEN NEW.parent IS NOT NULL
BEGIN
  INSERT INTO usage (org, scopes) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET scopes = scopes + 1;
END;

CREATE TRIGGER usage_of_changed_links AFTER UPDATE OF parent ON scopes WHEN (OLD.parent IS NULL) <> (NEW.parent IS NULL)
BEGIN
  INSERT INTO usage (org, scopes) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET scopes = scopes + IIF(NEW.parent IS NULL, -1, 1);
END;

CREATE TRIGGER usage_of_old_links AFTER DELETE ON scopes WHEN OLD.parent IS NOT NULL
BEGIN
  UPDATE usage SET scopes = scopes - 1 WHERE org = OLD.org;
END;

CREATE TRIGGER usage_of_new_tokens AFTER INSERT ON tokens WHEN COALESCE(NEW.parent_id, '') NOT LIKE 'trust:%'
BEGIN
  INSERT INTO usage (org, tokens) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET tokens = tokens + 1;
END;

CREATE TRIGGER usage_of_old_tokens AFTER DELETE ON tokens WHEN COALESCE(OLD.parent_id, '') NOT LIKE 'trust:%'
BEGIN
  UPDATE usage SET tokens = tokens - 1 WHERE org = OLD.org;
END;

CREATE TRIGGER usage_of_new_trusts AFTER INSERT ON trusts
BEGIN
  INSERT INTO usage (org, trusts) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET trusts = trusts + 1;
END;

CREATE TRIGGER usage_of_old_trusts AFTER DELETE ON trusts
BEGIN
  UPDATE usage SET trusts = trusts - 1 WHERE org = OLD.org;
END;

-- What an organization may have where that is not what the deployment gives to all: a JSON object of quotas.
CREATE TABLE quotas (
  org TEXT PRIMARY KEY,
  limits TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  seal TEXT
) STRICT, WITHOUT ROWID;

ALTER TABLE guard ADD COLUMN quota_secrets INTEGER CONSTRAINT quota_secrets CHECK (quota_secrets = 1);
ALTER TABLE guard ADD COLUMN quota_versions INTEGER CONSTRAINT quota_versions CHECK (quota_versions = 1);
ALTER TABLE guard ADD COLUMN quota_bytes INTEGER CONSTRAINT quota_bytes CHECK (quota_bytes = 1);
ALTER TABLE guard ADD COLUMN quota_scopes INTEGER CONSTRAINT quota_scopes CHECK (quota_scopes = 1);
ALTER TABLE guard ADD COLUMN quota_tokens INTEGER CONSTRAINT quota_tokens CHECK (quota_tokens = 1);
ALTER TABLE guard ADD COLUMN quota_trusts INTEGER CONSTRAINT quota_trusts CHECK (quota_trusts = 1);
ALTER TABLE guard ADD COLUMN quota_writes_per_minute INTEGER CONSTRAINT quota_writes_per_minute CHECK (quota_writes_per_minute = 1);

ALTER TABLE guard ADD COLUMN quota_events_per_minute INTEGER CONSTRAINT quota_events_per_minute CHECK (quota_events_per_minute = 1);

CREATE TRIGGER usage_of_refusals AFTER INSERT ON audit_events WHEN NEW.outcome = 'denied'
BEGIN
  INSERT INTO usage (org, refused_minute, refused) VALUES (NEW.org, NEW.at / 60000, 1)
  ON CONFLICT (org) DO UPDATE SET refused = IIF(refused_minute = excluded.refused_minute, refused, 0) + 1, refused_minute = excluded.refused_minute;
END;

CREATE TRIGGER usage_of_lists AFTER INSERT ON audit_lists
BEGIN
  INSERT INTO usage (org, listed_minute, listed)
    SELECT NEW.org, e.at / 60000, length(NEW.secrets) FROM audit_events e WHERE e.org = NEW.org AND e.seq = NEW.seq
  ON CONFLICT (org) DO UPDATE SET listed = IIF(listed_minute = excluded.listed_minute, listed, 0) + excluded.listed, listed_minute = excluded.listed_minute;
END;
