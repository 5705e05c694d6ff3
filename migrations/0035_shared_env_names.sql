-- What is never a variable shares no environment name, so it is not noted either: such notes stay for good, and anybody who may write
-- could have added to them without end, past every quota, while `/readyz` looks each of them up.
DROP TRIGGER env_names_shared;
CREATE TRIGGER env_names_shared AFTER INSERT ON secrets
WHEN NEW.variable = 1 AND (SELECT COUNT(*) FROM secrets s WHERE s.org = NEW.org AND s.scope = NEW.scope AND s.deleted_at IS NULL AND s.variable = 1
  AND upper(replace(replace(s.name, '-', '_'), '.', '_')) = upper(replace(replace(NEW.name, '-', '_'), '.', '_'))) > 1
BEGIN
  INSERT OR IGNORE INTO shared_env_names VALUES (NEW.org, NEW.scope, upper(replace(replace(NEW.name, '-', '_'), '.', '_')));
END;

-- Without its sign the column's affinity would keep SQLite from looking the name up.
DELETE FROM shared_env_names WHERE (
  SELECT COUNT(*) FROM secrets s INDEXED BY secrets_by_env_name WHERE s.org = shared_env_names.org AND s.scope = shared_env_names.scope
    AND upper(replace(replace(s.name, '-', '_'), '.', '_')) = +shared_env_names.env_name AND s.deleted_at IS NULL AND s.variable = 1) < 2;
