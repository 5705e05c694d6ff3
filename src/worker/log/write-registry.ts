import { isAhead, REGISTRY_VERSION, type RegistryEntry, type RegistryPayload } from "../../contract/audit-registry.ts";
import { formatTime } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { signPayload } from "../access/sign-payload.ts";
import { type LogRow, selectLogs, selectLogsSince } from "../audit/logs.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { nameObject, putObject } from "../store/registry-objects.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { logState } from "./log-state.ts";
import { entryId, keysOf, nameLog, type Registry } from "./registry.ts";
import { readStatement, registryStatementSchema, writeStatement } from "./statement.ts";

/** How long after all logs were put on record they are again, in milliseconds. */
const FULL_AFTER = 3_600_000;
/** How far back heads are looked for that changed since the newest object: runs overlap, and one may have ended before it put its own. */
const OVERLAP = 300_000;
/** How many entries one object has: some 800 KB. */
const ENTRIES = 3_000;
/** How many logs one read of D1 gives. */
const PAGE = 200;

interface Needs {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly now: Date;
  readonly registry: Registry | undefined;
  /** Organizations whose logs are not what the registry says: that stays as it is. */
  readonly accused: ReadonlySet<string>;
}

/**
 * Puts on record outside D1 how far logs have come: those that have changed, and each hour all of them. What the registry
 * knows and D1 does not any more stays in it. Returns how many entries were put there.
 */
export async function writeRegistry(needs: Needs): Promise<number> {
  const { registry, now } = needs;
  if (!registry) return 0;
  const full = registry.fullAt === null || now.getTime() - registry.fullAt >= FULL_AFTER;
  const entries = full ? await allEntries(needs, registry) : await changedEntries(needs, registry);
  if (entries.length === 0) return 0;
  await putEntries(needs, entries, full);
  await notePut(needs);
  return entries.length;
}

async function changedEntries(needs: Needs, registry: Registry): Promise<RegistryEntry[]> {
  const since = (registry.newestAt ?? 0) - OVERLAP;
  const entries: RegistryEntry[] = [];
  for await (const row of logRows(needs.db, (after) => selectLogsSince(needs.db, since, after, PAGE))) {
    const found = await currentEntry(needs, registry, row);
    if (found?.changed) entries.push(found.entry);
  }
  return entries;
}

/** Every log that D1 has, as it is or, where that is further, as it is on record; and what is on record of others. */
async function allEntries(needs: Needs, registry: Registry): Promise<RegistryEntry[]> {
  const known = new Set(keysOf(registry, needs.keyring));
  const left = new Map([...registry.entries].filter(([, { key }]) => known.has(key)));
  const entries: RegistryEntry[] = [];
  for await (const row of logRows(needs.db, (after) => selectLogs(needs.db, after, PAGE))) {
    const found = await currentEntry(needs, registry, row);
    // Where the log cannot be read, what is on record of it stays.
    if (!found) continue;
    entries.push(found.entry);
    for (const id of found.ids) left.delete(id);
  }
  return [...entries, ...left.values()];
}

async function* logRows(db: D1Database, select: (after: string) => D1PreparedStatement): AsyncGenerator<LogRow> {
  for (let after: string | undefined = ""; after !== undefined; ) {
    const [found] = await runBatch(db, [select(after)]);
    const rows = rowsOf<LogRow>(found);
    yield* rows;
    after = rows.length === PAGE ? rows.at(-1)?.org : undefined;
  }
}

interface CurrentEntry {
  readonly entry: RegistryEntry;
  /** Whether it goes further than what is on record. */
  readonly changed: boolean;
  /** The entries that it takes the place of. */
  readonly ids: readonly string[];
}

/** A log's entry under the current key: its state, or what is on record where that is further. */
async function currentEntry({ keyring, logKeys, accused }: Needs, registry: Registry, row: LogRow): Promise<CurrentEntry | undefined> {
  if (accused.has(row.org)) return undefined;
  const state = await logState(logKeys, row);
  const name = await nameLog(keyring, keyring.current, row.org);
  if (!state || !name) return undefined;
  const keys = [...new Set([keyring.current, ...keysOf(registry, keyring)])];
  const ids = (await Promise.all(keys.map((key) => nameLog(keyring, key, row.org)))).flatMap((one) => (one ? [entryId(one)] : []));
  const furthest = ids
    .flatMap((id) => registry.entries.get(id) ?? [])
    .reduce<RegistryEntry | undefined>((a, b) => (a === undefined || isAhead(b, a) ? b : a), undefined);
  const changed = furthest === undefined || isAhead(state, furthest);
  return { entry: { ...(changed ? state : furthest), ...name }, changed, ids };
}

async function putEntries({ kv, logKeys, now }: Needs, entries: readonly RegistryEntry[], full: boolean): Promise<void> {
  const at = now.getTime();
  const parts = Math.ceil(entries.length / ENTRIES);
  for (let part = 0; part < parts; part++) {
    const name = nameObject({ at, full, part, parts });
    const payload: RegistryPayload = {
      ...{ version: REGISTRY_VERSION, name, at: formatTime(at), full, part, parts },
      entries: entries.slice(part * ENTRIES, (part + 1) * ENTRIES),
    };
    await putObject(kv, name, await signPayload(logKeys, "keyhole-registry", payload));
  }
}

/** Notes in D1 that there is an object of now, so that it is missed when it is gone. */
async function notePut({ db, logKeys, now }: Needs): Promise<void> {
  const [found] = await runBatch(db, [selectStatement(db, "registry")]);
  const was = await readStatement(logKeys, registryStatementSchema, rowsOf<StatementRow>(found)[0]);
  if (was === undefined || was === "bent") return;
  await runBatch(db, [await writeStatement(db, logKeys, { ...was, put_at: formatTime(now.getTime()) })]);
}
