-- A deleted secret stays, with all its versions, until `deleted_until`, and can come back until then. Nothing but a list of
-- what can come back sees it. Its name stays its own: setting it again goes on with the same id.
ALTER TABLE secrets ADD COLUMN deleted_at INTEGER;
ALTER TABLE secrets ADD COLUMN deleted_until INTEGER;

CREATE INDEX secrets_deleted ON secrets (org, deleted_until, name, scope) WHERE deleted_at IS NOT NULL;

-- Lists and resolves read what is there, however much is deleted. That a name is taken is said by `secrets_by_scope`. The
-- indexes of before (secrets_by_name, secrets_by_kind, secrets_by_expiry, secrets_by_rotation, audit_events_of_rows) stay for
-- the Worker of before, which names them, until this one is deployed: a later migration takes them away.
CREATE INDEX secrets_in_scope ON secrets (org, scope, name) WHERE deleted_at IS NULL;
CREATE INDEX secrets_there_by_name ON secrets (org, name, scope) WHERE deleted_at IS NULL;
CREATE INDEX secrets_there_by_kind ON secrets (org, kind, name, scope) WHERE deleted_at IS NULL;
CREATE INDEX secrets_there_by_expiry ON secrets (org, expires_at, name, scope, id) WHERE expires_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX secrets_there_by_rotation ON secrets (org, rotation_due_at, name, scope, id) WHERE rotation_due_at IS NOT NULL AND deleted_at IS NULL;

-- What is deleted locks nothing.
DROP INDEX secrets_locked;
CREATE INDEX secrets_locked ON secrets (org, scope, name) WHERE locked = 1 AND deleted_at IS NULL;

-- A scope's count is of what is there, and so are the labels that lists go by.
DROP TRIGGER secrets_counted_in;
CREATE TRIGGER secrets_counted_in AFTER INSERT ON secrets WHEN NEW.deleted_at IS NULL
BEGIN
  INSERT INTO scopes (org, scope, secrets) VALUES (NEW.org, NEW.scope, 1) ON CONFLICT (org, scope) DO UPDATE SET secrets = secrets + 1;
END;
DROP TRIGGER secrets_labelled;
CREATE TRIGGER secrets_labelled AFTER INSERT ON secrets WHEN NEW.labels <> '{}' AND NEW.deleted_at IS NULL
BEGIN
  INSERT INTO secret_labels (org, key, value, name, scope, secret_id) SELECT NEW.org, l.key, l.value, NEW.name, NEW.scope, NEW.id FROM json_each(NEW.labels) l;
END;
DROP TRIGGER secrets_relabelled;
CREATE TRIGGER secrets_relabelled AFTER UPDATE OF labels ON secrets WHEN NEW.labels <> OLD.labels AND NEW.deleted_at IS NULL
BEGIN
  DELETE FROM secret_labels WHERE secret_id = NEW.id;
  INSERT INTO secret_labels (org, key, value, name, scope, secret_id) SELECT NEW.org, l.key, l.value, NEW.name, NEW.scope, NEW.id FROM json_each(NEW.labels) l;
END;
DROP TRIGGER secrets_counted_out;
CREATE TRIGGER secrets_counted_out AFTER DELETE ON secrets WHEN OLD.deleted_at IS NULL
BEGIN
  UPDATE scopes SET secrets = secrets - 1 WHERE org = OLD.org AND scope = OLD.scope;
  DELETE FROM scopes WHERE org = OLD.org AND scope = OLD.scope AND secrets = 0 AND parent IS NULL;
END;
CREATE TRIGGER secrets_deleted_out AFTER UPDATE OF deleted_at ON secrets WHEN OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL
BEGIN
  DELETE FROM secret_labels WHERE secret_id = OLD.id;
  UPDATE scopes SET secrets = secrets - 1 WHERE org = OLD.org AND scope = OLD.scope;
  DELETE FROM scopes WHERE org = OLD.org AND scope = OLD.scope AND secrets = 0 AND parent IS NULL;
END;
CREATE TRIGGER secrets_undeleted_in AFTER UPDATE OF deleted_at ON secrets WHEN OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL
BEGIN
  DELETE FROM secret_labels WHERE secret_id = NEW.id;
  INSERT INTO secret_labels (org, key, value, name, scope, secret_id) SELECT NEW.org, l.key, l.value, NEW.name, NEW.scope, NEW.id FROM json_each(NEW.labels) l;
  INSERT INTO scopes (org, scope, secrets) VALUES (NEW.org, NEW.scope, 1) ON CONFLICT (org, scope) DO UPDATE SET secrets = secrets + 1;
END;

DROP TRIGGER secrets_change_epoch;
CREATE TRIGGER secrets_change_epoch AFTER UPDATE OF org, id, scope, name, version, expires_at, locked, max_lease_seconds, deleted_at, deleted_until ON secrets
WHEN OLD.org IS NOT NEW.org OR OLD.id IS NOT NEW.id OR OLD.scope IS NOT NEW.scope OR OLD.name IS NOT NEW.name
  OR OLD.version IS NOT NEW.version OR OLD.expires_at IS NOT NEW.expires_at
  OR OLD.locked IS NOT NEW.locked OR OLD.max_lease_seconds IS NOT NEW.max_lease_seconds
  OR OLD.deleted_at IS NOT NEW.deleted_at OR OLD.deleted_until IS NOT NEW.deleted_until
BEGIN
  INSERT INTO epochs (org, epoch) VALUES (NEW.org, hex(randomblob(8))) ON CONFLICT (org) DO UPDATE SET epoch = excluded.epoch;
END;

-- Events that say of rows what they are: with those of a secret that came back, or went for good.
CREATE INDEX audit_events_on_rows ON audit_events (org, seq) WHERE outcome = 'allowed' AND action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.undelete', 'secret.purge', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored'
);
