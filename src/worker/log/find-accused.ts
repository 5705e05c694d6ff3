import type { HeadPayload } from "../../contract/audit.ts";
import { sha256 } from "../../contract/audit-digest.ts";
import type { RegistryEntry } from "../../contract/audit-registry.ts";
import { type Accusation, goesOn, judgeHead } from "../../contract/judge-log.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type HeadOnly, type NumberedLink, selectHeadless, selectHeads, selectLinks } from "../audit/logs.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { readHead } from "./log-head.ts";
import { entryId, keysOf, nameLog, type Registry } from "./registry.ts";

/** How many heads one read of D1 gives. */
const PAGE = 1_000;
/** How many organizations without a head are looked for: only those of which something else is left have a name. */
const HEADLESS = 1_000;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
}

/** A log that is not as far as it was, or another one. */
export interface AccusedLog {
  readonly org: string;
  readonly accusation: Accusation;
  readonly entry: RegistryEntry;
}

/** What comes of judging all logs by the registry. */
export interface Judgement {
  /** How many logs there are. */
  readonly logs: number;
  readonly accused: readonly AccusedLog[];
  /** Organizations that lack revocations which they had when they were put on record. */
  readonly unrevoked: readonly string[];
  /** Entries of logs of which nothing at all is left. */
  readonly missing: readonly RegistryEntry[];
}

/**
 * Judges every log by what the registry says of it. The registry was read before: D1 has come at least as far since.
 *
 * @param alsoCalled An organization that may have lost everything, so that D1 does not have its name.
 */
export async function findAccused(needs: Needs, registry: Registry, alsoCalled?: string): Promise<Judgement> {
  const left = new Map(registry.entries);
  const keys = keysOf(registry, needs.keyring);
  const accused: AccusedLog[] = [];
  const unrevoked = new Set<string>();
  let logs = 0;
  const judgePage = async (rows: readonly HeadOnly[]) => {
    const pairs = await pairUp(needs.keyring, keys, left, rows);
    accused.push(...(await judgePairs(needs, pairs)));
    for (const { org, revocation, entry } of pairs) if (revocation < (entry.revocation ?? 0)) unrevoked.add(org);
  };
  for (let after: string | undefined = ""; after !== undefined; ) {
    const [found] = await runBatch(needs.db, [selectHeads(needs.db, after, PAGE)]);
    const rows = rowsOf<HeadOnly>(found);
    logs += rows.length;
    await judgePage(rows);
    after = rows.length === PAGE ? rows.at(-1)?.org : undefined;
  }
  const missing = () => [...left.values()].filter(({ key, number }) => keys.includes(key) && number > 0);
  if (missing().length > 0) {
    const [found] = await runBatch(needs.db, [selectHeadless(needs.db, HEADLESS)]);
    await judgePage([...rowsOf<HeadOnly>(found), ...(alsoCalled === undefined ? [] : [{ org: alsoCalled, head: null, revocation: 0 }])]);
  }
  return { logs, accused, unrevoked: [...unrevoked], missing: missing() };
}

interface Pair extends HeadOnly {
  readonly entry: RegistryEntry;
}

/** Finds the entries of logs, and takes them out of those that are left. */
async function pairUp(keyring: Keyring, keys: readonly string[], left: Map<string, RegistryEntry>, rows: readonly HeadOnly[]): Promise<Pair[]> {
  const pairs = await Promise.all(
    rows.flatMap((row) =>
      keys.map(async (key) => {
        const name = await nameLog(keyring, key, row.org);
        const entry = name && left.get(entryId(name));
        return entry ? [{ ...row, entry }] : [];
      }),
    ),
  );
  for (const { entry } of pairs.flat()) left.delete(entryId(entry));
  return pairs.flat();
}

async function judgePairs({ db, logKeys }: Needs, pairs: readonly Pair[]): Promise<AccusedLog[]> {
  const heads = await Promise.all(pairs.map(async ({ org, head }) => (await readHead(logKeys, org, head))?.data));
  const accused: AccusedLog[] = [];
  const further: Pair[] = [];
  for (const [n, pair] of pairs.entries()) {
    const { org, entry } = pair;
    const head: HeadPayload | undefined = heads[n];
    const accusation = head ? judgeHead(entry, head) : "differs";
    if (accusation !== null) accused.push({ org, accusation, entry });
    else if (head && goesOn(entry, head) && entry.number > 0) further.push(pair);
  }
  if (further.length === 0) return accused;
  const places = further.map(({ org, entry: { number, generation } }) => ({ org, number, generation }));
  const [found] = await runBatch(db, [selectLinks(db, places)]);
  for (const [n, link] of rowsOf<NumberedLink>(found).entries()) {
    const { org, entry } = further[n] as Pair;
    if (!(await isLink(entry, link))) accused.push({ org, accusation: "differs", entry });
  }
  return accused;
}

/** Whether a log has the link that an entry names. */
export async function isLink({ checkpoint }: Pick<RegistryEntry, "checkpoint">, link: NumberedLink | undefined): Promise<boolean> {
  const hashes = await Promise.all([link?.checkpoint, link?.generation].map((jws) => (jws ? sha256(jws) : null)));
  return checkpoint !== null && hashes.includes(checkpoint);
}
