-- How many audit events there were, counted by the scheduled run as it goes through the log: a scrape reads these rows and no
-- events. `kind` says of what, `n` only grows; a restored deployment begins anew.
CREATE TABLE event_counts (
  org TEXT NOT NULL,
  kind TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (org, kind, action, outcome)
) STRICT, WITHOUT ROWID;

-- Who is told of what happens. `definition` is where and of what (JSON), `maker` what the token that made it may read, and what takes that
-- token out of force (JSON). `signing` are the secrets that messages are signed with, encrypted and bound to `signing_id`.
CREATE TABLE webhooks (
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  revision INTEGER NOT NULL,
  definition TEXT NOT NULL,
  maker TEXT NOT NULL,
  signing_id TEXT NOT NULL,
  signing TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  seal TEXT,
  PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;

-- How far each has been told: by time, by the log's events, and of refused calls the last minute with its count, and when that was told;
-- `looked_at` is when it last had its turn.
CREATE TABLE webhook_marks (
  org TEXT NOT NULL,
  name TEXT NOT NULL,
  at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  minute INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0,
  told_at INTEGER NOT NULL DEFAULT 0,
  looked_at INTEGER NOT NULL,
  PRIMARY KEY (org, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_marks_by_turn ON webhook_marks (looked_at);

-- Messages that are on their way, and the last ones that came to an end.
CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY NOT NULL,
  org TEXT NOT NULL,
  webhook TEXT NOT NULL,
  event TEXT NOT NULL,
  payload TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at INTEGER NOT NULL,
  done_at INTEGER,
  outcome TEXT CHECK (outcome IN ('delivered', 'given-up')),
  status INTEGER,
  seal TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (org, next_at, id) WHERE done_at IS NULL;
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (org, webhook, created_at, id);

CREATE TRIGGER webhooks_end AFTER DELETE ON webhooks
BEGIN
  DELETE FROM webhook_marks WHERE org = OLD.org AND name = OLD.name;
  DELETE FROM webhook_deliveries WHERE org = OLD.org AND webhook = OLD.name;
END;

ALTER TABLE usage ADD COLUMN webhooks INTEGER NOT NULL DEFAULT 0;
ALTER TABLE guard ADD COLUMN quota_webhooks INTEGER CONSTRAINT quota_webhooks CHECK (quota_webhooks = 1);
CREATE TRIGGER usage_of_new_webhooks AFTER INSERT ON webhooks
BEGIN
  INSERT INTO usage (org, webhooks) VALUES (NEW.org, 1) ON CONFLICT (org) DO UPDATE SET webhooks = webhooks + 1;
END;
CREATE TRIGGER usage_of_old_webhooks AFTER DELETE ON webhooks
BEGIN
  UPDATE usage SET webhooks = webhooks - 1 WHERE org = OLD.org;
END;

CREATE TRIGGER webhooks_insert_noted AFTER INSERT ON webhooks WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('webhooks', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER webhooks_update_noted AFTER UPDATE ON webhooks WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('webhooks', json_array(NEW.org, NEW.name));
END;
CREATE TRIGGER webhooks_delete_noted AFTER DELETE ON webhooks WHEN EXISTS (SELECT 1 FROM backups)
BEGIN
  INSERT INTO changed_rows (table_name, row_key) VALUES ('webhooks', json_array(OLD.org, OLD.name));
END;

-- Events that say of rows what they are: with those of webhooks. The index of before (audit_events_on_all_rows) stays for the Worker of
-- before, which names it, until this one is deployed. Those that only older Workers named go.
CREATE INDEX audit_events_on_every_row ON audit_events (org, seq) WHERE outcome = 'allowed' AND action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.undelete', 'secret.purge', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored', 'service.put', 'service.delete',
  'store.put', 'store.delete', 'webhook.put', 'webhook.delete'
);
DROP INDEX audit_events_of_rows;
DROP INDEX audit_events_on_rows;
DROP INDEX audit_events_on_known_rows;
