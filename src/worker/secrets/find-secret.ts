import { Problem } from "../../contract/problem.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type SecretKey, type SecretRow, selectSecret, selectSecretWithValue } from "../store/secret-rows.ts";
import type { CurrentSecret } from "./write-secret.ts";

/** One secret of an organization, or `undefined`. */
export async function findSecret(db: D1Database, key: SecretKey): Promise<SecretRow | undefined> {
  const [found] = await runBatch(db, [selectSecret(db, key)]);
  return rowsOf<SecretRow>(found)[0];
}

/** One secret of an organization with its current value, or `undefined`. */
export async function findCurrent(db: D1Database, key: SecretKey): Promise<CurrentSecret | undefined> {
  const [found] = await runBatch(db, [selectSecretWithValue(db, key)]);
  return rowsOf<CurrentSecret>(found)[0];
}

/** The answer when a secret is not there, or belongs to another organization. */
export function secretNotFound(key: SecretKey): Problem {
  return new Problem("secret-not-found", "id" in key ? "There is no secret with this id." : `There is no secret ${key.name} in ${key.scope}.`);
}
