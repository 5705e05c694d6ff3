import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectVersions, type VersionRow } from "../store/version-rows.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { getSecret } from "./get-secret.ts";

/** A version of a secret. */
interface Version extends VersionRow {
  readonly state: "current" | "previous" | "destroyed";
}

/** One page of versions, newest first. */
export interface VersionPage {
  readonly versions: readonly Version[];
  /** The next page begins below this version; `null` after the last one. */
  readonly next: number | null;
}

/**
 * Lists the versions of a secret, destroyed ones included.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `storage-unavailable`.
 */
export async function listVersions({ db }: { db: D1Database }, caller: Caller, id: string, limit: number, before: number | undefined): Promise<VersionPage> {
  caller.require("secrets:read");
  const secret = await getSecret({ db }, caller, { id });
  const [result] = await runForCaller(db, caller, [selectVersions(db, secret.id, before, limit + 1)]);
  const rows = rowsOf<VersionRow>(result);
  const versions = rows.slice(0, limit).map((row) => ({ ...row, state: stateOf(row, secret.version) }));
  return { versions, next: rows.length > limit ? (versions.at(-1)?.version ?? null) : null };
}

function stateOf({ version, kind }: VersionRow, current: number): Version["state"] {
  if (kind === "destroyed") return "destroyed";
  return version === current ? "current" : "previous";
}
