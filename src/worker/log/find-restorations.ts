import { generationOf, type HeadPayload } from "../../contract/audit.ts";
import { sha256 } from "../../contract/audit-digest.ts";
import type { Restoration, RestorationsReply } from "../../contract/audit-generation.ts";
import type { RegistryEntry } from "../../contract/audit-registry.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type CheckpointRow, selectLastCheckpoint } from "../audit/checkpoints.ts";
import { type GenerationRow, selectLastGeneration } from "../audit/generations.ts";
import { type HeadRow, selectHead } from "../audit/heads.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type RevocationRow, selectFirstRevocations, selectLastRevocation } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { type AccusedLog, findAccused } from "./find-accused.ts";
import { LogError, lastLink, requireHead } from "./log-head.ts";
import { readRegistry } from "./read-registry.ts";

/** How many logs one list has, by the names of their organizations. After those were accepted come the next. */
const LOGS = 50;

/** What finding and accepting restores needs. */
export interface RestorationNeeds {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** What is left of a log, and of its organization's revocations. */
export interface LeftLog {
  readonly jws: string | null;
  readonly head: HeadPayload;
  readonly lastSeq: number;
  readonly firstRevocation: RevocationRow | undefined;
  readonly lastRevocation: RevocationRow | undefined;
}

/** A log that is not as far as it is on record to have been. */
export interface RestoredLog {
  readonly org: string;
  readonly entry: RegistryEntry;
  /** What is left of it, as it was signed; `undefined` when it is not as it was signed. */
  readonly left: LeftLog | undefined;
}

/** The logs that are behind, the digest that stands for exactly these, and how many more have no name. */
export interface FoundRestorations {
  readonly logs: readonly RestoredLog[];
  readonly digest: string;
  readonly unnamed: number;
}

/**
 * Finds the logs that are not as far as the registry says they were, as after a restore of the database.
 *
 * @param org An organization that may have lost everything.
 * @throws {Problem} `forbidden` for any organization but the operator's own, `unauthenticated`, `storage-unavailable`.
 */
export async function findRestorations(needs: RestorationNeeds, caller: Caller, org: string | undefined): Promise<FoundRestorations> {
  caller.require("audit:write");
  if (caller.org !== needs.platformOrg) throw caller.refuse("audit:write", "Only the operator's own organization accepts restores.");
  await readForCaller(needs, caller, []);
  const registry = await readRegistry(needs);
  const { accused, missing } = await findAccused(needs, registry, org);
  const furthest = new Map(accused.toSorted((a, b) => a.entry.number - b.entry.number).map((log) => [log.org, log]));
  const wanted = [...furthest.values()].sort((a, b) => (a.org < b.org ? -1 : 1)).slice(0, LOGS);
  const logs = await Promise.all(wanted.map((log) => whatIsLeft(needs, log)));
  const digest = await sha256(
    JSON.stringify(
      logs.map(({ org, entry, left }) => [org, entry.generation, entry.number, entry.checkpoint, left?.jws ?? null, left?.lastRevocation?.n ?? 0]),
    ),
  );
  return { logs, digest, unnamed: missing.length };
}

/** What is left of a log, and whether that is as it was signed. */
export async function whatIsLeft({ db, logKeys }: { readonly db: D1Database; readonly logKeys: LogKeys }, { org, entry }: AccusedLog): Promise<RestoredLog> {
  const [checkpoints, generations, heads, first, last] = await runBatch(db, [
    ...[selectLastCheckpoint(db, org), selectLastGeneration(db, org), selectHead(db, org)],
    ...[selectFirstRevocations(db, org, 1), selectLastRevocation(db, org)],
  ]);
  const [checkpoint] = rowsOf<CheckpointRow>(checkpoints);
  const jws = rowsOf<HeadRow>(heads)[0]?.jws ?? null;
  try {
    const head = await requireHead(logKeys, org, jws, await lastLink(checkpoint, rowsOf<GenerationRow>(generations)[0]));
    const revocations = { firstRevocation: rowsOf<RevocationRow>(first)[0], lastRevocation: rowsOf<RevocationRow>(last)[0] };
    return { org, entry, left: { jws, head, lastSeq: checkpoint?.last_seq ?? 0, ...revocations } };
  } catch (error) {
    if (error instanceof LogError) return { org, entry, left: undefined };
    throw error;
  }
}

/** The generation that would begin. */
export function nextGeneration({ entry, left }: RestoredLog): number {
  return Math.max(entry.generation, left ? generationOf(left.head) : 1) + 1;
}

/** The sealed events that are gone: at the least the last one that is on record. */
export function lostOf({ entry, left }: RestoredLog): { first_seq: number; last_seq: number } {
  return { first_seq: Math.min((left?.lastSeq ?? 0) + 1, entry.last_seq), last_seq: entry.last_seq };
}

/** The revocations that are gone, as far as they were on record; `null` for none. */
export function lostRevocations({ entry, left }: RestoredLog): { first: number; last: number } | null {
  const [last, recorded] = [left?.lastRevocation?.n ?? 0, entry.revocation ?? 0];
  return recorded > last ? { first: last + 1, last: recorded } : null;
}

/** What was found, as replies show it. */
export function restorationsBody({ logs, digest, unnamed }: FoundRestorations): RestorationsReply {
  const restorations = logs.map(
    (log): Restoration => ({
      org: log.org,
      generation: nextGeneration(log),
      after: log.left?.lastSeq ?? 0,
      lost: lostOf(log),
      lost_revocations: lostRevocations(log),
      acceptable: log.left !== undefined,
    }),
  );
  return { restorations, unnamed, digest };
}
