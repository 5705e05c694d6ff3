import { envName, type SecretName } from "../../contract/secret-name.ts";
import type { SecretRow } from "./secret-columns.ts";
import { SELECT_SECRETS } from "./secret-rows.ts";

/** A secret that is to be a variable. */
export type NewName = Pick<SecretRow, "org" | "scope" | "name">;

/** SQL for the environment name of a secret, as `envName` makes it; an index has it so (migration 0026). */
export function envNameOf(name: string): string {
  return `upper(replace(replace(${name}, '-', '_'), '.', '_'))`;
}

// One that is there under the very same name is another guard's matter, and one that is no variable has none of its names.
const TAKEN = `json_each(?) j CROSS JOIN secrets t INDEXED BY secrets_by_env_name ON t.org = j.value ->> 'org' AND t.scope = j.value ->> 'scope'
  AND ${envNameOf("t.name")} = j.value ->> 'env_name' AND t.name <> j.value ->> 'name' AND t.deleted_at IS NULL AND t.variable = 1`;

/** Aborts the batch with the guard `env_name_free` when the scope holds another variable of one of the environment names. */
export function requireEnvNamesFree(db: D1Database, created: readonly NewName[]): D1PreparedStatement {
  return db.prepare(`INSERT INTO guard (env_name_free) SELECT 0 WHERE EXISTS (SELECT 1 FROM ${TAKEN})`).bind(parameter(created));
}

/** Selects the variables that have one of the environment names in its scope, under other names ({@link SecretRow}). */
export function selectNamesakes(db: D1Database, created: readonly NewName[]): D1PreparedStatement {
  return db.prepare(`${SELECT_SECRETS} WHERE s.id IN (SELECT t.id FROM ${TAKEN}) ORDER BY s.name`).bind(parameter(created));
}

function parameter(created: readonly NewName[]): string {
  return JSON.stringify(created.map(({ org, scope, name }) => ({ org, scope, name, env_name: envName(name as SecretName) })));
}

/** Counts the environment names that variables of one scope share (`{ env_name_conflicts }`). */
export function selectSharedEnvNames(db: D1Database): D1PreparedStatement {
  // Without its sign the column's affinity would keep SQLite from looking the name up.
  return db.prepare(
    `SELECT COUNT(*) AS env_name_conflicts FROM shared_env_names n WHERE (
       SELECT COUNT(*) FROM secrets s INDEXED BY secrets_by_env_name WHERE s.org = n.org AND s.scope = n.scope AND ${envNameOf("s.name")} = +n.env_name AND s.deleted_at IS NULL AND s.variable = 1) > 1`,
  );
}
