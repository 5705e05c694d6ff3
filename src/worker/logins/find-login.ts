import type { LoginClient } from "../../contract/login.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { kindOf } from "../grants/read-trusts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type FoundTrust, selectTrust, selectTrusts } from "../store/trust-rows.ts";
import { verifyRow, verifyRows } from "../transaction/verify-row.ts";
import { LoginError } from "./login-error.ts";

/** What looking for a login needs. */
export interface FindNeeds {
  readonly db: D1Database;
  readonly keyring: Keyring;
}

/** A login by which people may log in now. */
export interface Login {
  readonly row: FoundTrust;
  readonly client: LoginClient;
}

/** How many logins of an organization are offered. */
const OFFERED = 50;

/**
 * The login of a name.
 *
 * @throws {LoginError} `unknown-login` whether it is not there or not in force, and for an organization that is not there.
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function findLogin({ db, keyring }: FindNeeds, org: string, name: string): Promise<Login> {
  const [found] = await runBatch(db, [selectTrust(db, org, name)]);
  const [stored] = rowsOf<FoundTrust>(found);
  const row = stored && (await verifyRow(keyring, "trusts", stored));
  if (row === undefined || kindOf(row) !== "login" || row.suspended === 1) throw new LoginError("unknown-login");
  return { row, client: JSON.parse(row.login ?? "") as LoginClient };
}

/**
 * The names of an organization's logins, by which anybody may try. Of one without any, and of one that is not there, none.
 *
 * @throws {Problem} `integrity-failed`, `storage-unavailable`.
 */
export async function offeredLogins({ db, keyring }: FindNeeds, org: string): Promise<string[]> {
  const [found] = await runBatch(db, [selectTrusts(db, org, "login", "", OFFERED)]);
  const rows = await verifyRows(keyring, "trusts", rowsOf<FoundTrust>(found));
  return rows.filter(({ suspended }) => suspended === 0).map(({ name }) => name);
}
