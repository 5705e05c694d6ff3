import type { EventVersions } from "../../contract/audit-digest.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type ArchiveRow, removeArchives, selectArchives } from "../audit/archives.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KEPT_IN_KV } from "../store/kept-in-kv.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { IntegrityProblem } from "../transaction/verify-row.ts";
import type { Stretch } from "./archive-body.ts";
import { type RemovableStretches, type RemovalPlace, removedLink } from "./find-removable-stretches.ts";
import { goesOnFrom } from "./goes-on-from.ts";
import { isAsSealed } from "./is-as-sealed.ts";
import { ArchiveMissingProblem, openArchive } from "./open-archive.ts";

/** How many archives of one log are removed at once. */
const ARCHIVES = 5;
/** With more secrets than this in them it removes no further one: they are a parameter, of at most 2 MB. */
const SECRETS = 5_000;

interface Needs {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly now: Date;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}

/** Finds old archives that are what was signed. Without its row, which has the key, an object is nothing. */
export async function findRemovableArchives(needs: Needs, { org, after, before }: RemovalPlace): Promise<RemovableStretches> {
  const { db, now } = needs;
  const [found] = await runBatch(db, [selectArchives(db, { org, secret_id: null, beyond: after, order: "oldest first" }, ARCHIVES)]);
  const good: ArchiveRow[] = [];
  const secretIds = new Set<string>();
  let events = 0;
  let last: Stretch["checkpoint"] | undefined;
  let bad = false;
  for (const row of rowsOf<ArchiveRow>(found)) {
    if (row.last_at >= before || secretIds.size > SECRETS) break;
    const stretches = await openWhole(needs, row, good.at(-1)?.last_seq ?? after);
    bad = stretches === undefined;
    if (!stretches) break;
    good.push(row);
    last = stretches.at(-1)?.checkpoint;
    for (const event of stretches.flatMap((stretch) => stretch.events)) {
      events++;
      for (const { id } of event.secrets) if (id !== null) secretIds.add(id);
    }
  }
  if (!last) return { events: 0, to: after, last: undefined, bad, full: false, statements: [] };
  const statements = removeArchives(db, org, last.last_seq, [...secretIds], now.getTime() + KEPT_IN_KV);
  return {
    events,
    to: last.last_seq,
    last: await removedLink(last),
    bad,
    full: good.length === ARCHIVES || secretIds.size > SECRETS,
    statements: [...statements, requireChanges(db, good.length)],
  };
}

/** What an archive has, if it is the next part of the log after an event and all of it is what was signed. */
async function openWhole(needs: Needs, row: ArchiveRow, after: number): Promise<readonly Stretch[] | undefined> {
  try {
    const stretches = await openArchive(needs, row);
    let to = after;
    for (const stretch of stretches) {
      const { first_seq, last_seq } = stretch.checkpoint;
      if (!(await goesOnFrom(needs, row.org, to, first_seq)) || !(await isAsSealed(needs, row.org, stretch, "a known key"))) return undefined;
      to = last_seq;
    }
    return to === row.last_seq ? stretches : undefined;
  } catch (error) {
    if (error instanceof ArchiveMissingProblem || error instanceof IntegrityProblem) return undefined;
    throw error;
  }
}
